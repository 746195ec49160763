"""The ratios of a company's statement as they are; a missing one is missing, which tells something by itself."""

from schemas.events.company_statement import EVENT, CompanyStatement
from scoring.features.spec import FeatureView, Number, Value

RATIOS = tuple(
    name for name in CompanyStatement.__struct_fields__ if name not in ("event_id", "occurred_at_ms", "company_id")
)

TOGETHER = """
net_profit_to_total_assets ebit_to_total_assets gross_profit_before_financing_to_total_assets gross_profit_to_total_assets
gross_profit_and_interest_to_total_assets operating_profit_to_total_assets profit_on_sales_to_total_assets
ebitda_to_total_assets

net_profit_to_sales gross_profit_to_sales gross_profit_and_interest_to_sales profit_on_sales_to_sales ebitda_to_sales
operating_profit_to_sales gross_cash_flow_to_sales gross_margin total_costs_to_total_sales

total_liabilities_to_total_assets equity_to_total_liabilities equity_to_total_assets total_assets_to_total_liabilities
constant_capital_to_total_assets short_term_liabilities_to_total_assets current_assets_to_total_liabilities

long_term_liabilities_to_equity

current_assets_to_short_term_liabilities quick_assets_to_short_term_liabilities cash_to_short_term_liabilities
defensive_days working_capital_to_total_assets

working_capital log_total_assets

retained_earnings_to_total_assets reserves_to_total_assets gross_profit_3y_to_total_assets

total_liabilities_to_gross_cash_flow_days gross_cash_flow_to_total_liabilities net_cash_flow_to_total_liabilities
total_liabilities_to_monthly_operating_cash_flow gross_profit_to_short_term_liabilities

interest_cover

sales_to_total_assets total_sales_to_total_assets

sales_growth

inventory_to_sales_days inventory_to_cost_of_sales_days net_profit_to_inventory sales_to_inventory

receivables_and_inventory_days receivables_to_sales_days sales_to_receivables

current_liabilities_to_cost_of_sales_days operating_expenses_to_short_term_liabilities net_liabilities_to_sales
operating_expenses_to_total_liabilities short_term_liabilities_to_cost_of_sales_days
short_term_liabilities_to_sales_days sales_to_short_term_liabilities

working_capital_to_fixed_assets equity_to_fixed_assets constant_capital_to_fixed_assets sales_to_fixed_assets

quick_assets_to_long_term_liabilities quick_surplus_to_costs
"""
"""What analysts read together: return on assets, margins, leverage, long-term debt, liquidity, size, kept profits, debt
service, interest cover, turnover, growth, inventory, receivables, short-term debt to costs, fixed assets, reserves."""

VIEW = FeatureView(
    name="company_ratios",
    event=EVENT,
    entity="company_id",
    numbers=(Number("log_total_assets"),),
    features=tuple(Value(name) for name in RATIOS),
    ring=4,
    horizon="1100d",
    grace="1d",
    warm_after=0,
    together=tuple(tuple(group.split()) for group in TOGETHER.split("\n\n")),
)
