"""What came true of a model's predictions, while their horizon matures and after."""
