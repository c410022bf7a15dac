"""Tables made by rule, with questions about their rows. Pure, given a source of chance.

The pairs to train on hold no tables, and what a cross-encoder has never seen it ranks below prose. The right table has
the row and the column that the question names; the wrong ones lack the row, or the column, or both.
"""

from collections.abc import Sequence
from random import Random

from rag_app.train.groups import Group

SOURCE = "tables"
ROWS = (4, 9)  # of a table, fewest and most
COLUMNS = (2, 4)
NOTED = 0.5  # share of the tables that a sentence follows, as on a page
CAPTIONED = 0.6  # share that a line goes before
YEARLY = 0.6  # share whose columns are years
BARE = 0.3  # share written with spaces between the cells, as some readers give them

# Kind of table -> what its rows are called. Alike rows stand near each other on purpose.
_LABELS = {
    "finance": (
        "Total revenue", "Product revenue", "Service revenue", "Deferred revenue", "Cost of revenue", "Gross profit",
        "Gross margin", "Research and development", "Sales and marketing", "General and administrative",
        "Operating income", "Operating expenses", "Interest income", "Interest expense", "Income before tax",
        "Income tax expense", "Deferred income tax", "Net income", "Net loss", "Basic earnings per share",
        "Diluted earnings per share", "Cash and cash equivalents", "Restricted cash", "Short-term investments",
        "Trade receivables", "Other receivables", "Inventories", "Prepaid expenses", "Total current assets",
        "Property and equipment", "Goodwill", "Intangible assets", "Total assets", "Trade payables",
        "Accrued liabilities", "Lease liabilities", "Long-term debt", "Total liabilities", "Share capital",
        "Retained earnings", "Treasury shares", "Total equity", "Dividends paid", "Depreciation", "Amortisation",
        "Impairment of goodwill", "Stock-based compensation", "Restructuring charges", "Foreign exchange loss",
        "Pension obligations", "Purchase obligations", "Operating leases", "Finance leases", "Capital expenditure",
        "Free cash flow", "Weighted average shares", "Shares granted", "Shares forfeited", "Shares outstanding",
        "Discount rate", "Expected volatility", "Expected return on plan assets", "Effective tax rate",
    ),
    "staff": (
        "Full-time employees", "Part-time employees", "Contractors", "New hires", "Leavers", "Sick days",
        "Days of annual leave", "Days of parental leave", "Training hours", "Overtime hours", "Average salary",
        "Bonus payments", "Travel expenses", "Open positions", "Apprentices", "Accidents at work",
    ),
    "health": (
        "Patients enrolled", "Patients discharged", "Mean age in years", "Female patients", "Smokers",
        "Body mass index", "Systolic blood pressure", "Diastolic blood pressure", "Heart rate", "Fever", "Cough",
        "Headache", "Nausea", "Adverse events", "Deaths", "Length of stay in days", "Vaccinated", "Sensitivity",
        "Specificity", "White cell count", "Haemoglobin", "Serum creatinine",
    ),
    "product": (
        "Weight", "Width", "Height", "Depth", "Power consumption", "Battery life", "Charging time", "Screen size",
        "Memory", "Storage", "Operating temperature", "Storage temperature", "Noise level", "Maximum load",
        "Warranty period", "Price", "Delivery time", "Spare parts", "Maintenance interval", "Flow rate",
    ),
    "plan": (
        "Annual deductible", "Out-of-pocket maximum", "Primary care visit", "Specialist visit", "Emergency room visit",
        "Urgent care", "Generic drugs", "Preferred brand drugs", "Hospital stay", "Preventive care", "Eye examination",
        "Dental cleaning", "Physical therapy", "Monthly premium", "Waiting period", "Laboratory tests",
    ),
}  # fmt: skip
_YEARS = ("2013", "2014", "2015", "2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023")
_COLUMNS = {
    "finance": (("North America", "Europe", "Asia Pacific", "Latin America"), ("Q1", "Q2", "Q3", "Q4")),
    "staff": (("Berlin", "Leeds", "Toronto", "Osaka"), ("Engineering", "Sales", "Support", "Finance")),
    "health": (("Control group", "Treatment group", "All patients"), ("Placebo", "Low dose", "High dose")),
    "product": (("Model A", "Model B", "Model C"), ("Standard", "Plus", "Pro")),
    "plan": (("In network", "Out of network"), ("Bronze plan", "Silver plan", "Gold plan")),
}
_UNITS = ("(in thousands)", "(in millions)", "(US$'000)", "(EUR m)", "")
_ASKED = (
    "What was the {row} in {column}?", "How much was {row} for {column}?", "What is the {row} for {column}?",
    "{row} {column}", "What were the {row} as of {column}?", "What does the table show as {row} for {column}?",
)  # fmt: skip
_COMPARED = (
    "What is the change in {row} between {column} and {other}?",
    "By how many percent did {row} change from {column} to {other}?",
    "What is the average {row} for {column} and {other}?",
    "Was {row} higher in {column} or in {other}?",
)
_SHARED = (
    "What is {row} as a percentage of {second} in {column}?", "What is the sum of {row} and {second} in {column}?",
)  # fmt: skip


def tables(count: int, rng: Random, wrong: int) -> list[Group]:
    """`count` groups: a question, a table that holds the answer and `wrong` that do not."""
    return [_group(rng, wrong) for _ in range(count)]


def _group(rng: Random, wrong: int) -> Group:
    kind = rng.choices(list(_LABELS), weights=[len(labels) for labels in _LABELS.values()])[0]
    columns = _columns(kind, rng)
    rows = _rows(kind, rng)
    asked, second = rng.sample(rows, 2)
    column, other = rng.sample(columns, 2)
    form = rng.choice(rng.choice((_ASKED, _ASKED, _COMPARED, _SHARED)))
    question = form.format(row=_spoken(asked), second=_spoken(second), column=column, other=other)
    texts = [_table(kind, rows, columns, rng)]
    for turn in range(wrong):
        if turn % 3 == 0:  # the row is not there, one like it may be
            without = _rows(kind, rng, [asked], [label for label in rows if label != asked][:2])
            texts.append(_table(kind, without, columns, rng))
        elif turn % 3 == 1 and (strange := [name for name in _columns(kind, rng) if name != column]):
            texts.append(_table(kind, rows, [*strange, *(() if len(strange) > 1 else ("Total",))], rng))
        else:
            texts.append(_table(kind, _rows(kind, rng, [asked]), _columns(kind, rng), rng))
    return Group(SOURCE, question, tuple(texts))


def _columns(kind: str, rng: Random) -> list[str]:
    if rng.random() < YEARLY:
        first = rng.randrange(len(_YEARS) - COLUMNS[1])
        return list(_YEARS[first : first + rng.randint(*COLUMNS)])[:: rng.choice((1, -1))]
    names = rng.choice(_COLUMNS[kind])
    return rng.sample(names, min(len(names), rng.randint(*COLUMNS)))


def _rows(kind: str, rng: Random, without: Sequence[str] = (), first: Sequence[str] = ()) -> list[str]:
    left = [label for label in _LABELS[kind] if label not in without and label not in first]
    rows = [*first, *rng.sample(left, min(len(left), rng.randint(*ROWS)))]
    rng.shuffle(rows)
    return rows


def _spoken(label: str) -> str:
    return label[0].lower() + label[1:]


def _table(kind: str, rows: Sequence[str], columns: Sequence[str], rng: Random) -> str:
    size = rng.choice((10, 100, 10_000, 1_000_000))
    lines = [_line(["", *columns], rng)] if rng.random() < BARE else [_line([rng.choice(_UNITS), *columns], rng)]
    separator = "  " if rng.random() < BARE else " | "
    lines.extend(separator.join([row, *(f"{rng.randint(1, size):,}" for _ in columns)]) for row in rows)
    if rng.random() < CAPTIONED:
        lines.insert(
            0, f"{rng.choice(('Table', 'Note', 'Schedule'))} {rng.randint(1, 30)}: {kind}, {', '.join(columns)}"
        )
    if rng.random() < NOTED:
        lines.append(f"{rng.choice(rows)} and {_spoken(rng.choice(rows))} are shown before adjustments.")
    return "\n".join(lines)


def _line(cells: Sequence[str], rng: Random) -> str:
    return ("  " if rng.random() < BARE else " | ").join(cells)
