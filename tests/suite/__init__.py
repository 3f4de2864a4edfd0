"""The test run itself: its report, and that it passes however it was started."""
