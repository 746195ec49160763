"""The limits by name, and what each of them does for an event."""

LIMITS = {
    "consume_aiokafka": "payments read by aiokafka, set up as in the worker",
    "consume_confluent": "payments read by confluent-kafka, as the core on it reads them",
    "produce": "score records written into batches by compiled code and acknowledged, as the worker sends them",
    "redis_bare": "MGET of a state and SET of it, 1,000 keys together, by hiredis on one socket",
    "redis_store": "the same through the worker's store: fenced reads and commits of four partitions at a time",
    "model": "onnxruntime on one thread, in the blocks of rows of the worker",
    "fold": "the compiled fold kernel on states of that size, 1,000 events of one partition together",
}
"""For one event each: one payment, one state, one row."""
