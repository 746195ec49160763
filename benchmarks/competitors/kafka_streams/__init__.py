"""The obvious Kafka Streams application, in Java, as a competitor: `python -m benchmarks.competitors.kafka_streams`."""
