"""The IoTDA service: requests, answers, paging, retry and credentials. Knows nothing of Pulumi."""
