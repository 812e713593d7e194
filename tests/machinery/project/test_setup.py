from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.project import setup


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("problem.yaml", "name: 7\n"),
        ("params.yaml", "trian: {}\n"),
        ("prices.yaml", "currency: [\n"),
        ("contract.yaml", "kind: DataContract\n"),
    ],
)
def test_each_of_the_files_is_read_strictly(tmp_path, monkeypatch, file, text):
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    assert setup.check_team_files() == ["problem.yaml, params.yaml: valid"]
    Path(file).write_text(text)
    with pytest.raises(UserError, match=f"^{file}"):
        setup.check_team_files()
