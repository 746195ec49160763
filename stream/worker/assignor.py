"""Round robin, for members that tell the group which topics they found when they started."""

from collections.abc import Iterable
from typing import ClassVar

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata


class TopicAwareAssignor(RoundRobinPartitionAssignor):  # type: ignore[misc]
    """A member with a fixed name that starts again gets its old share back unseen, unless what it tells has changed.

    Without that, a topic that was made, or made anew, while it was away would be nobody's.

    Attributes:
        topics_seen: digest of the topics, their ids and their numbers of partitions; of this process.
    """

    topics_seen: ClassVar[bytes] = b""

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What the member tells when it joins."""
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), cls.topics_seen)
