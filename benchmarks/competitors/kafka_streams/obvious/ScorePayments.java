package obvious;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** One payment after the other: read the account's history, score, write the history back. */
public final class ScorePayments implements Processor<String, Payment, String, Score> {
    private static final String STORE = "payments";
    private static final String SCORER = "payment_anomaly";
    private static final double DECIMALS = 1e6;

    private final Bundle bundle;
    private final String policy;
    private final Model model;
    private final Features features;
    private ProcessorContext<String, Score> context;
    private KeyValueStore<String, List<PastPayment>> store;

    private ScorePayments(Bundle bundle, String policy, Model model) {
        this.bundle = bundle;
        this.policy = policy;
        this.model = model;
        features = new Features(bundle.features());
    }

    /** Makes processors that share the model, each with the store of its partition: RocksDB, cached, with changelog. */
    public static ProcessorSupplier<String, Payment, String, Score> supplier(
            Bundle bundle, String policy, Model model) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<String, Payment, String, Score> get() {
                return new ScorePayments(bundle, policy, model);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(STORE),
                                Serdes.String(),
                                Serdes.serdeFrom(
                                        (topic, history) -> history == null ? null : History.toBytes(history),
                                        (topic, bytes) -> bytes == null ? null : History.fromBytes(bytes)))
                        .withCachingEnabled());
            }
        };
    }

    @Override
    public void init(ProcessorContext<String, Score> context) {
        this.context = context;
        store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, Payment> record) {
        Payment payment = record.value();
        List<PastPayment> stored = store.get(record.key());
        List<PastPayment> past = History.recent(stored == null ? List.of() : stored, payment.occurredAtMs());
        float[] row = features.of(payment, past);
        float value = model.score(row);
        History.insert(past, PastPayment.of(payment));
        store.put(record.key(), past);
        context.forward(record.withValue(score(payment, row, value, past.size())));
    }

    private Score score(Payment payment, float[] row, float value, int depth) {
        RecordMetadata from = context.recordMetadata().orElseThrow();
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * row.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(row);
        return new Score(
                SCORER + ":" + from.topic() + ":" + from.partition() + ":" + from.offset(),
                SCORER,
                payment.eventId(),
                payment.accountId(),
                new Score.Source(from.topic(), from.partition(), from.offset()),
                payment.occurredAtMs(),
                Math.round(value * DECIMALS) / DECIMALS,
                "none",
                bytes.array(),
                depth,
                bundle.scoreKind(),
                bundle.digest(),
                policy,
                bundle.view(),
                "ort" + model.version());
    }
}
