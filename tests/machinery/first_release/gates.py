"""Gates of your own, beside the built-in ones. Yours to edit.

A gate asks a question about the model or its data, and blocks the release if the answer is no. It
has a name, a heading, the role in problem.yaml that answers for it, and a check: a function of the
evidence that returns what it found. The evidence has the clean rows, the test rows with the model's
predictions, and the evaluation. To add one:

    from mlops.api import Finding

    def few_enough_to_handle(evidence):
        share = float(evidence.predictions()["decision"].mean())
        return Finding(
            passed=share <= 0.4,
            measured=share,
            limit=0.4,
            meaning=f"{share:.0%} of the cases would be acted on",
            what_to_do="Have more hands, or a higher cost of acting in problem.yaml.",
        )

    Gate("workload", "Few enough to handle", "business_owner", few_enough_to_handle),

The last line goes into GATES. From then on it stands in the report, in the table of requirements,
in reviews and in the registry, and leads whoever it blocks to the line of its function.
"""

from mlops.api import Finding, Gate


def few_enough_to_handle(evidence):
    share = float(evidence.predictions()["decision"].mean())
    return Finding(
        passed=share <= 0.4,
        measured=share,
        limit=0.4,
        meaning=f"{share:.0%} of the cases would be acted on",
        what_to_do="Have more hands, or a higher cost of acting in problem.yaml.",
    )


GATES: tuple[Gate, ...] = (
    Gate("workload", "Few enough to handle", "business_owner", few_enough_to_handle),
)
