from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.data.contract import Column, Contract
from open_data_contract_standard.model import OpenDataContractStandard


@pytest.fixture
def contract() -> Contract:
    return Contract(
        id="orders-returned",
        name="orders",
        task="binary",
        classes=("no", "yes"),
        duplicates="reject",
        columns=(
            Column(name="order.[é] 1", type="string", role="key", required=True),
            Column(name="when", type="date", role="time", formats=("%d/%m/%Y", "%Y-%m-%d")),
            Column(name="price", type="number", minimum=-1.5, maximum=10, decimal=","),
            Column(
                name="shop",
                type="string",
                categories=("NO", "yes", "1", "01008", "a\nb"),
                slice=True,
            ),
            Column(
                name="street",
                type="string",
                known_categories=("High Street", "no", "1"),
                optional=True,
                default="?",
                former_names=("road", "st"),
            ),
            Column(name="age", type="integer", protected=True, missing=("", "null", "-")),
            Column(name="refund", type="number", known_at_decision=False, leak_reviewed=True),
            Column(name="note", type="string", role="ignored", description="free text: any"),
            Column(name="returned", type="string", role="target", spelling={"Y": "yes"}),
        ),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contract.yaml"


def test_a_saved_contract_loads_as_it_was(contract: Contract, path: Path) -> None:
    contract.save(path)
    assert Contract.load(path) == contract


def test_the_file_is_a_document_of_the_standard(contract: Contract, path: Path) -> None:
    contract.save(path)
    document = OpenDataContractStandard.from_file(str(path))
    assert document.apiVersion == "v3.2.0"
    order, _, price, shop, *_ = document.schema_[0].properties
    assert order.primaryKey
    assert price.logicalTypeOptions == {"minimum": -1.5, "maximum": 10}
    assert [entry.value for entry in shop.enum] == ["NO", "yes", "1", "01008", "a\nb"]


def test_only_what_differs_from_the_default_is_written(contract: Contract, path: Path) -> None:
    contract.save(path)
    text = path.read_text(encoding="utf-8")
    assert text.count("missingValues, value") == 1
    assert "{property: knownAtDecision, value: false}" in text
    assert "role, value: feature" not in text
    assert "- {value: 'NO'}" in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("knownAtDecision, value", "knownAtDecisions, value", "column 'refund'.*knownAtDecision"),
        ("logicalType: integer", "logicalType: int", "column 'age': logicalType"),
        ("role, value: time", "role, value: clock", "column 'when': role"),
        ("{minimum: -1.5, maximum", "{minimal: -1.5, maximum", "column 'price': minimal: this key"),
        ("{minimum: -1.5", "{minimum: low", "column 'price': minimum"),
        ("minimum: -1.5", "minimum: 99", "'price'.*minimum is above its maximum"),
        ("required: true", "requird: true", "requird: this key is not known"),
        ("required: true", "required: often", "required"),
        ("- {value: 'NO'}", "- NO", "column 'shop': enum.0: "),
        ("value: ['', 'null', '-']", "value: none", "column 'age': missingValues: .*list"),
        ("decimal, value: ','", "decimal, value: ';'", "column 'price': decimal"),
        ("task, value: binary", "task, value: regression", "regression does not go with 2 classes"),
        ("task, value: binary", "task, value: multiclass", "multiclass does not go with 2 classes"),
        ("task, value: binary", "task, value: guess", "table: task"),
        ("['no', 'yes']", "['yes', 'yes']", "binary does not go with 1 classes"),
        (
            "role, value: target",
            "role, value: ignored",
            "exactly one column must have the role target",
        ),
        (
            "role, value: ignored",
            "role, value: target",
            "exactly one column must have the role target",
        ),
        ("- name: note", "- name: age", "column age is described more than once"),
        ("primaryKey: true", "primaryKey: true\n    enum: [{value: 1}]", "order.*enum"),
        ("knownCategories, value", "formats, value", "formats are for dates"),
        ("optional, value: true", "optional, value: false", "default is for an optional column"),
        (
            "primaryKey: true",
            "primaryKey: true\n    customProperties:\n    - {property: optional, value: true}",
            "a key cannot be optional",
        ),
        ("[road, st]", "[road, age]", "column age is described more than once"),
        ("kind: DataContract", "kind: Letter", "kind must be DataContract"),
        ("version: 1.0.0", "version: 1.0", "version: "),
        ("kind: Data", "stand: active\nkind: Data", "stand: this key is not known"),
        ("property: decimal", "property: formats", "column 'price': formats: .*list"),
        (
            "- {property: knownAtDecision, value: false}",
            "- {property: leakReviewed, value: true}",
            "leakReviewed is given twice",
        ),
        ("schema:", "servers:", "schema must hold exactly one table"),
        ("{property: slice, value: true}", "{property: role, value: time}", "time is for dates"),
    ],
)
def test_a_mistake_is_one_sentence(
    contract: Contract, path: Path, old: str, new: str, says: str
) -> None:
    contract.save(path)
    text = path.read_text(encoding="utf-8")
    heading, body = text.split("apiVersion", 1)
    assert old in body
    path.write_text(f"{heading}apiVersion{body.replace(old, new, 1)}", encoding="utf-8")
    with pytest.raises(UserError, match=says) as caught:
        Contract.load(path)
    assert "\n" not in str(caught.value)


def test_a_contract_without_inputs_is_refused(contract: Contract, path: Path) -> None:
    bare = contract.model_copy(update={"columns": contract.columns[-2:]})
    bare.save(path)
    with pytest.raises(UserError, match="no column is left"):
        Contract.load(path)


def test_a_key_may_be_the_time_too_but_not_the_target(contract: Contract, path: Path) -> None:
    contract.save(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("- name: when", "- name: when\n    primaryKey: true"), "utf-8")
    both = Contract.load(path)
    assert both["when"].role == "time"
    assert both.key_names == ["order.[é] 1", "when"]
    name = contract.target.name
    path.write_text(
        text.replace(f"- name: {name}", f"- name: {name}\n    primaryKey: true"), "utf-8"
    )
    with pytest.raises(
        UserError, match=f"column '{name}'.*the role target is not for a primaryKey"
    ):
        Contract.load(path)


def test_a_file_that_is_not_there_is_one_sentence(path: Path) -> None:
    with pytest.raises(UserError, match=r"contract\.yaml is not here"):
        Contract.load(path)


def test_free_text_is_text_and_no_category() -> None:
    assert Column(name="t", type="string", free_text=True).faults() == []
    [fault] = Column(name="t", type="integer", free_text=True).faults()
    assert fault.endswith("freeText is for texts")
    for more in ({"slice": True}, {"protected": True}, {"categories": ("a",)}):
        [fault] = Column(name="t", type="string", free_text=True, **more).faults()
        assert fault.endswith("freeText is for no category")
