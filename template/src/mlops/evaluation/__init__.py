"""The packaged model judged on rows that no choice was made on."""
