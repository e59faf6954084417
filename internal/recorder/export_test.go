package recorder

func init() { maxMemory, maxCalls = 4<<20, 2<<20 } //nolint:gochecknoinits // before the tests, which are parallel
