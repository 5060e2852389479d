"""What DynamoDB refuses whatever it stores: limits, forms, expressions. The simulator builds on it, too."""
