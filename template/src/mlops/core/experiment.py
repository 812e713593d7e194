"""Whether DVC tries something out: `dvc exp run` must not change what is in use."""

import os


def find_experiment() -> str:
    """Find the name of the experiment that DVC runs this command for; "" outside of one."""
    return os.environ.get("DVC_EXP_NAME", "")
