"""A company's yearly statement as ratios; what a statement leaves out, or divides by zero, is missing."""

from typing import Annotated

import msgspec

from schemas.event import EventType, Id, OccurredAt

Ratio = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]


class CompanyStatement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """64 ratios of a company's statement, all optional; `occurred_at_ms` is when it was published.

    Names that end in `_days` count days; the others are plain quotients but for `working_capital` (thousands of the
    reporting currency) and `log_total_assets`. Gross profit is before taxes.

    Source: Zieba, Tomczak, Tomczak 2016, "Ensemble boosted trees with synthetic features generation in application to
    bankruptcy prediction", table 1; its order, X1 to X64.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    company_id: Id
    net_profit_to_total_assets: Ratio | None = None  # X1: net profit / total assets
    total_liabilities_to_total_assets: Ratio | None = None  # X2: total liabilities / total assets
    working_capital_to_total_assets: Ratio | None = None  # X3: working capital / total assets
    current_assets_to_short_term_liabilities: Ratio | None = None  # X4: current assets / short-term liabilities
    # X5: (cash + securities + receivables - short-term liabilities) x 365 / (operating expenses - depreciation)
    defensive_days: Ratio | None = None
    retained_earnings_to_total_assets: Ratio | None = None  # X6: retained earnings / total assets
    ebit_to_total_assets: Ratio | None = None  # X7: earnings before interest and taxes / total assets
    equity_to_total_liabilities: Ratio | None = None  # X8: book value of equity / total liabilities
    sales_to_total_assets: Ratio | None = None  # X9: sales / total assets
    equity_to_total_assets: Ratio | None = None  # X10: equity / total assets
    # X11: (gross profit + extraordinary items + financial expenses) / total assets
    gross_profit_before_financing_to_total_assets: Ratio | None = None
    gross_profit_to_short_term_liabilities: Ratio | None = None  # X12: gross profit / short-term liabilities
    gross_cash_flow_to_sales: Ratio | None = None  # X13: (gross profit + depreciation) / sales
    gross_profit_and_interest_to_total_assets: Ratio | None = None  # X14: (gross profit + interest) / total assets
    # X15: total liabilities x 365 / (gross profit + depreciation)
    total_liabilities_to_gross_cash_flow_days: Ratio | None = None
    gross_cash_flow_to_total_liabilities: Ratio | None = None  # X16: (gross profit + depreciation) / total liabilities
    total_assets_to_total_liabilities: Ratio | None = None  # X17: total assets / total liabilities
    gross_profit_to_total_assets: Ratio | None = None  # X18: gross profit / total assets
    gross_profit_to_sales: Ratio | None = None  # X19: gross profit / sales
    inventory_to_sales_days: Ratio | None = None  # X20: inventory x 365 / sales
    sales_growth: Ratio | None = None  # X21: sales / sales of the year before
    operating_profit_to_total_assets: Ratio | None = None  # X22: profit on operating activities / total assets
    net_profit_to_sales: Ratio | None = None  # X23: net profit / sales
    gross_profit_3y_to_total_assets: Ratio | None = None  # X24: gross profit of 3 years / total assets
    reserves_to_total_assets: Ratio | None = None  # X25: (equity - share capital) / total assets
    net_cash_flow_to_total_liabilities: Ratio | None = None  # X26: (net profit + depreciation) / total liabilities
    interest_cover: Ratio | None = None  # X27: profit on operating activities / financial expenses
    working_capital_to_fixed_assets: Ratio | None = None  # X28: working capital / fixed assets
    log_total_assets: Ratio | None = None  # X29: logarithm of total assets
    net_liabilities_to_sales: Ratio | None = None  # X30: (total liabilities - cash) / sales
    gross_profit_and_interest_to_sales: Ratio | None = None  # X31: (gross profit + interest) / sales
    # X32: current liabilities x 365 / cost of products sold
    current_liabilities_to_cost_of_sales_days: Ratio | None = None
    operating_expenses_to_short_term_liabilities: Ratio | None = None  # X33: operating expenses / short-term liabilities
    operating_expenses_to_total_liabilities: Ratio | None = None  # X34: operating expenses / total liabilities
    profit_on_sales_to_total_assets: Ratio | None = None  # X35: profit on sales / total assets
    total_sales_to_total_assets: Ratio | None = None  # X36: total sales / total assets
    # X37: (current assets - inventory) / long-term liabilities
    quick_assets_to_long_term_liabilities: Ratio | None = None
    constant_capital_to_total_assets: Ratio | None = None  # X38: constant capital / total assets
    profit_on_sales_to_sales: Ratio | None = None  # X39: profit on sales / sales
    # X40: (current assets - inventory - receivables) / short-term liabilities
    cash_to_short_term_liabilities: Ratio | None = None
    # X41: total liabilities / ((profit on operating activities + depreciation) x 12 / 365)
    total_liabilities_to_monthly_operating_cash_flow: Ratio | None = None
    operating_profit_to_sales: Ratio | None = None  # X42: profit on operating activities / sales
    receivables_and_inventory_days: Ratio | None = None  # X43: days of receivables + days of inventory
    receivables_to_sales_days: Ratio | None = None  # X44: receivables x 365 / sales
    net_profit_to_inventory: Ratio | None = None  # X45: net profit / inventory
    # X46: (current assets - inventory) / short-term liabilities
    quick_assets_to_short_term_liabilities: Ratio | None = None
    inventory_to_cost_of_sales_days: Ratio | None = None  # X47: inventory x 365 / cost of products sold
    ebitda_to_total_assets: Ratio | None = None  # X48: (profit on operating activities - depreciation) / total assets
    ebitda_to_sales: Ratio | None = None  # X49: (profit on operating activities - depreciation) / sales
    current_assets_to_total_liabilities: Ratio | None = None  # X50: current assets / total liabilities
    short_term_liabilities_to_total_assets: Ratio | None = None  # X51: short-term liabilities / total assets
    # X52: short-term liabilities x 365 / cost of products sold
    short_term_liabilities_to_cost_of_sales_days: Ratio | None = None
    equity_to_fixed_assets: Ratio | None = None  # X53: equity / fixed assets
    constant_capital_to_fixed_assets: Ratio | None = None  # X54: constant capital / fixed assets
    working_capital: Ratio | None = None  # X55: working capital, in thousands of the reporting currency
    gross_margin: Ratio | None = None  # X56: (sales - cost of products sold) / sales
    # X57: (current assets - inventory - short-term liabilities) / (sales - gross profit - depreciation)
    quick_surplus_to_costs: Ratio | None = None
    total_costs_to_total_sales: Ratio | None = None  # X58: total costs / total sales
    long_term_liabilities_to_equity: Ratio | None = None  # X59: long-term liabilities / equity
    sales_to_inventory: Ratio | None = None  # X60: sales / inventory
    sales_to_receivables: Ratio | None = None  # X61: sales / receivables
    short_term_liabilities_to_sales_days: Ratio | None = None  # X62: short-term liabilities x 365 / sales
    sales_to_short_term_liabilities: Ratio | None = None  # X63: sales / short-term liabilities
    sales_to_fixed_assets: Ratio | None = None  # X64: sales / fixed assets


EVENT = EventType(struct=CompanyStatement, topic="company-statements", key="company_id")
