"""What this installation says about itself: metrics, traces."""
