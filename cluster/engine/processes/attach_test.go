package processes_test

const nodeVariable = "CAPSIZE_TEST_NODE"

func runNode(string) error { return nil }
