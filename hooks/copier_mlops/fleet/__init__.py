"""Many repositories at once: who is behind, who drifted, who breaks a standard."""
