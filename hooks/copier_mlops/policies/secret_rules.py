"""What keys, tokens and passwords look like.

The forms of keys are those of detect-secrets 1.5.0, and those of services that it does not know. Of
its rule about names such as `password` only values count that no placeholder has.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

SECRETS = re.compile(
    rb"(?P<private_key>-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-2)"
    rb"|(?P<AWS_key>\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b)"
    rb"|(?P<GitHub_token>\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}))"
    rb"|(?P<GitLab_token>\bgl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_-]{20,})"
    rb"|(?P<Slack_token>\bxox[abeoprs]-[A-Za-z0-9-]{20,}"
    rb"|https://hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,})"
    rb"|(?P<Google_key>\bAIza[A-Za-z0-9_-]{35}\b)"
    rb"|(?P<Azure_key>\bAccountKey=[A-Za-z0-9+/]{40,})"
    rb"|(?P<PyPI_token>\bpypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{20,})"
    rb"|(?P<Anthropic_key>\bsk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{40,})"
    rb"|(?P<OpenAI_key>\bsk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}"
    rb"|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})\b)"
    rb"|(?P<Hugging_Face_token>\bhf_[A-Za-z0-9]{34,}\b)"
    rb"|(?P<npm_token>\bnpm_[A-Za-z0-9]{36}\b)"
    rb"|(?P<SendGrid_key>\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b)"
    rb"|(?P<Stripe_key>\b[rs]k_live_[0-9a-zA-Z]{24,})"
    rb"|(?P<Databricks_token>\bdapi[0-9a-f]{32}\b)"
    rb"|(?P<password>\b[a-z][a-z0-9+.-]*://[^\s/:@,\"'<>{}$]+:[^\s/:@\"'<>{}$*]{3,}"
    rb"@[A-Za-z0-9\[][^\s/\"'<>]*)"
)
NAMES = rb"(?:passw(?:or)?d|pwd|secret(?:_?access)?(?:_?key)?|api_?key|access_?key|auth_?token)"
ASSIGNED = re.compile(
    rb"(?im)" + NAMES + rb"[\"']?[ \t]*[:=][ \t]*(?:b|r|f)?"
    rb"(?P<quote>[\"'])(?P<value>[^\"'\s\\]{8,})(?P=quote)"
)
IN_SETTINGS = re.compile(
    rb"(?im)^[ \t]*(?:export[ \t]+)?[\w.-]*?"
    + NAMES
    + rb"[ \t]*=[ \t]*(?P<value>[^\s\"'#]{6,})[ \t]*$"
)
SETTINGS_FILES = re.compile(r"(?:.*/)?(?:[^/]*\.(?:cfg|conf|env|ini|properties)|\.env[^/]*|config)")
# What stands in for a secret; in addresses also the words that everybody takes for one.
MADE_UP = re.compile(rb"example|password@|:secret@|:pass@|@localhost|@127\.|\.\.\.", re.IGNORECASE)
PLACEHOLDER = re.compile(
    rb"[$<>{}()\[\]*%]|example|change|your|dummy|fake|test|sample|placeholder|redacted|secret|"
    rb"password|none|null|true|false|xxx|\.\.\.|://|^[A-Z_]+$|^[a-z]+(?:[_.:/-][a-z]+)*$|^[./]|"
    rb"^(.)\1+$|environ|getenv",
)
ALLOWED = re.compile(rb"pragma: allowlist secret")  # as the hook of the project, detect-secrets


@lru_cache(maxsize=4096)
def find_secrets(content: bytes, is_settings: bool = False) -> tuple[tuple[int, str], ...]:
    """Find line and kind of each secret, the kind with its article.

    In files of settings a value needs no quotes.
    """
    return tuple(sorted(set(find_each(content, is_settings))))


def find_each(content: bytes, is_settings: bool) -> Iterator[tuple[int, str]]:
    """Find the forms of keys, then values that are assigned to names of secrets."""
    for match in SECRETS.finditer(content):
        if not MADE_UP.search(match[0]) and not is_allowed(content, match.start()):
            yield count_line(content, match.start()), name_kind(str(match.lastgroup))
    for pattern in (ASSIGNED, IN_SETTINGS) if is_settings else (ASSIGNED,):
        for match in pattern.finditer(content):
            value = match["value"]
            strange = re.search(rb"\d", value) and re.search(rb"[A-Za-z]", value)
            if (
                not strange
                or PLACEHOLDER.search(value)
                or is_allowed(content, match.start("value"))
            ):
                continue
            yield count_line(content, match.start("value")), "a password or key"


def is_settings_file(path: str) -> bool:
    """Tell files of settings, such as prod.env and .dvc/config, by their name."""
    return SETTINGS_FILES.fullmatch(path) is not None


def name_kind(group: str) -> str:
    """Name a kind of secret, with its article, by its group in SECRETS."""
    return f"{'an' if group[0] in 'AOn' else 'a'} {group.replace('_', ' ')}"


def is_allowed(content: bytes, place: int) -> bool:
    """Tell whether the line around a byte says that it holds no secret."""
    line = content[content.rfind(b"\n", 0, place) + 1 :].split(b"\n", 1)[0]
    return ALLOWED.search(line) is not None


def count_line(content: bytes, place: int) -> int:
    """Count the number of the line around a byte, from 1."""
    return content.count(b"\n", 0, place) + 1
