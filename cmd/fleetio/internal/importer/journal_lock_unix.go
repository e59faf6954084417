//go:build !windows

package importer

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// openLocked opens a file, which it makes if need be, for this process only. The lock goes with the process, however
// that ends.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path)) // or the file may be gone after a power failure, with all that is in it
	}
	if err != nil {
		_ = f.Close()
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return f, nil
}

// closeLocked gives the lock back before it closes the file: a process that this one is just starting may hold the file
// open for a moment longer.
func closeLocked(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
