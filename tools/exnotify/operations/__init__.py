"""What people on call look at: alarms and dashboard from one data file, and the drill that trips them."""
