package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// quickFsync is less than any disk takes: there the files are in memory, or what is on disk is not asked for.
const quickFsync = 20 * time.Microsecond

// fsync is how long one takes, the median of some.
type fsync time.Duration

func (f fsync) String() string {
	text := fmt.Sprintf("an fsync takes %v\n", time.Duration(f).Round(time.Microsecond))
	if time.Duration(f) < quickFsync {
		text += "WARNING: that is no disk; -dir names a directory on one\n"
	}
	return text
}

// timeFsync appends pages to a file, as a store does to its log. The file goes with the directory.
func timeFsync(dir string) (_ fsync, err error) {
	file, err := os.CreateTemp(dir, "fsync")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	times := make([]time.Duration, 21)
	for i := range times {
		if _, err := file.Write(make([]byte, 8<<10)); err != nil {
			return 0, err
		}
		begin := time.Now()
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	return fsync(times[len(times)/2]), nil
}
