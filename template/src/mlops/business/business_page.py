"""Tell what the decision is worth to those who pay: reports/business.html.

One sentence first, one paragraph of advice, and every figure with where it comes from.
reports/business.json says the same.
"""

from dataclasses import asdict
from pathlib import Path

from ..core.paths import REPORTS, round_figures, write_json, write_text
from ..core.problem import Problem
from ..pages.charts import label_trend
from ..pages.environment import html
from .prices import PRICES, Prices
from .profitability import Worth, reckon
from .recommendation import advise

PAGE = REPORTS / "business.html"
REPORT = REPORTS / "business.json"


def write_report() -> list[str]:
    """Reckon, write both files, and return what they say in short.

    Raises UserError if no model was evaluated, or there is no prices.yaml.
    """
    problem = Problem.read()
    worth = reckon()
    next_decision = advise(worth, problem)
    summary = {"headline": worth.headline, "advice": next_decision, "state": worth.state}
    basis = {"basis": worth.basis, "net_range": worth.net_range}
    write_json(REPORT, round_figures(summary | basis | asdict(worth)))
    write_text(PAGE, render_page(worth, problem))
    return [worth.headline, next_decision, f"{PAGE} has the details."]


def render_page(worth: Worth, problem: Problem) -> str:
    """Return the page's HTML; the same figures give the same bytes."""
    lived = worth.realised.performance
    template = html(Path(__file__).parent).get_template("business.html")
    return template.render(
        worth=worth,
        advice=advise(worth, problem),
        trend=label_trend(lived) if lived else [],
        problem=problem,
        prices=Prices.load(str(PRICES)),
    )
