"""From a raw table to decisions: data, model, business."""
