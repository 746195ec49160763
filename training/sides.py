"""On which side of its usual value a feature speaks of risk; errors on the other side are no surprise."""

from scoring.features.spec import Derived, Feature, FeatureView

_MORE_IS_RISK = frozenset(
    {"count", "rolling", "ratio", "zscore", "quotient", "relative_spread", "distinct", "unseen", "range", "beyond"}
    | {"first_time_share", "realised_volatility", "ewma_volatility"}
)


def upper_only(feature: Feature, *, signed: bool) -> bool:
    """Whether only values above the expected ones are a surprise.

    An account that pays less often or less than usual needs nobody's attention, so its counts, totals and
    ratios count upwards only. A number that may be negative (a log return, a difference) is unusual on both sides, and so
    is every statistic and z-score of it.

    Args:
        signed: whether the feature takes values of either sign by nature.
    """
    return feature.kind in _MORE_IS_RISK and not signed


def upper_sides(view: FeatureView) -> tuple[bool, ...]:
    """For every feature of the view's vector, in order, whether only its upper side counts."""
    carried = upper_sides(view.carries) if view.carries else ()
    derived = {number.name for number in view.numbers if isinstance(number, Derived)}
    return carried + tuple(
        upper_only(
            feature,
            signed=getattr(feature, "number", None) in derived
            and feature.kind not in ("realised_volatility", "ewma_volatility", "beyond"),
        )
        for feature in view.features
    )
