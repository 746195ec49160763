package obvious;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/** The application: payments in, scores out. Run by the benchmark, which gives {@code BENCH_} variables. */
public final class Main {
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = System.getenv();
        Bundle bundle = Bundle.of(Path.of(given.get("BENCH_BUNDLE")));
        Model model = new Model(bundle.model());
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(given.get("BENCH_SOURCE"), Consumed.with(Serdes.String(), Json.serde(Payment.class)))
                .process(ScorePayments.supplier(bundle, given.get("BENCH_POLICY"), model))
                .to(given.get("BENCH_OUTPUT"), Produced.with(Serdes.String(), Json.serde(Score.class)));
        KafkaStreams streams = new KafkaStreams(builder.build(), properties(given));
        CountDownLatch ended = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == State.ERROR || now == State.NOT_RUNNING) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(CLOSE_WITHIN)));
        streams.start();
        ended.await();
        if (streams.state() == State.ERROR) {
            System.exit(1);
        }
    }

    /** What is not said here is as Kafka Streams has it: at least once, commits every 30 s, a cache of 10 MB. */
    private static Properties properties(Map<String, String> given) {
        long process = ProcessHandle.current().pid();
        Properties properties = new Properties();
        properties.put(
                StreamsConfig.APPLICATION_ID_CONFIG,
                given.getOrDefault("BENCH_GROUP", "obvious-streams-" + process));
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("BENCH_KAFKA"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, Path.of(given.get("BENCH_FOLDER"), "state-" + process).toString());
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.getOrDefault("BENCH_THREADS", "1"));
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), "5");
        properties.put(
                StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), given.get("BENCH_COMPRESSION"));
        return properties;
    }
}
