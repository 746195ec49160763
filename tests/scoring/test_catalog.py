"""What declarations the catalogue refuses together although each is sound by itself."""

import dataclasses

import pytest

from schemas.catalog import BrokenDeclaration
from scoring.catalog import check_carried, views
from scoring.views import account_activity, merchant_activity


def test_views_of_one_internal_topic_carry_the_same_view():
    """Its records have the features of one view; the other would read them as its own."""
    other = dataclasses.replace(
        account_activity.VIEW, name="account_week", history=None
    )
    second = dataclasses.replace(merchant_activity.VIEW, name="merchant_week", carries=other)
    expected = "merchant_week.py: carries account_week, while merchant_activity .* carries account_activity"
    with pytest.raises(BrokenDeclaration, match=expected):
        check_carried([merchant_activity.VIEW, second])
    alike = dataclasses.replace(merchant_activity.VIEW, name="merchant_month")
    check_carried([account_activity.VIEW, merchant_activity.VIEW, alike])
    check_carried(views().values())
