"""ModelOps: candidates compared, the best one packaged, judged and registered."""
