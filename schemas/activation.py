"""From which offset a bundle, policy and view are in force, as kept on the compacted topic `activations`."""

from typing import Any

import msgspec


class Activation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What scores one partition of one topic for one scorer, from `from_offset` on.

    Attributes:
        bundle, policy, view: digests (16 hex digits) in force.
        policy_content: the whole policy, so that a restart needs no old code.
        live: False scores in shadow, without alerts.
    """

    scorer: str
    topic: str
    partition: int
    from_offset: int
    bundle: str
    policy: str
    view: str
    policy_content: dict[str, Any]
    live: bool = True


class Desired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator wants in force for a scorer; workers activate it at their next poll boundary."""

    scorer: str
    bundle: str
    policy_content: dict[str, Any]


class Resume(msgspec.Struct, frozen=True):
    """An operator's yes to go on with a partition that was paused before that moment."""

    topic: str
    partition: int
    asked_at_ms: int


class PassingOn(msgspec.Struct, frozen=True, kw_only=True):
    """From which record on a partition's events are passed on to an internal topic."""

    to: str
    topic: str
    partition: int
    from_offset: int
