"""Keys go where Java's clients would put them."""

from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2

from scoring.murmur2 import murmur2, partitions_of

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def test_the_vectors_of_the_java_client():
    """A wrong partition splits an entity's history in two."""
    assert murmur2(list(JAVA)).astype("int32").tolist() == list(JAVA.values())
    assert murmur2([]).tolist() == []


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=20), st.integers(1, 100))
def test_many_keys_at_once_agree_with_two_other_clients(keys, count):
    """The vectorised form pads keys of different lengths; none may leak into another."""
    ours = murmur2(keys).tolist()
    assert ours == [aiokafka_murmur2(key) & 0xFFFFFFFF for key in keys]
    assert ours == [kafka_python_murmur2(key) & 0xFFFFFFFF for key in keys]
    assert partitions_of(keys, count).tolist() == [(each & 0x7FFFFFFF) % count for each in ours]
