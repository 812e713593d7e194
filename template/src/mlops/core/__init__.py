"""What every stage stands on: paths, settings, formats, and how a stage is run."""
