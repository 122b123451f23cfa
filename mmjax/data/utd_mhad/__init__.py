"""Actions of eight people, seen by a depth camera and felt by a sensor."""
