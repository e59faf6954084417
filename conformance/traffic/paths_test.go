package traffic

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// recordingFolder makes files in a new folder, each with one exchange unless content says otherwise.
func recordingFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		if content == "" {
			content = archive(entry("GET", "", `"status":204`))
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// readPaths returns the sources of the exchanges, with folder left out.
func readPaths(t *testing.T, folder string, stdin io.Reader, paths ...string) (sources []string, err error) {
	exchanges, err := collect(Read(t.Context(), stdin, paths...))
	for _, e := range exchanges {
		source := strings.TrimPrefix(e.Source, folder+string(filepath.Separator))
		sources = append(sources, strings.TrimSuffix(filepath.ToSlash(source), "#/log/entries/0"))
	}
	return sources, err
}

func TestReadPaths(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{
		"b.har":           "",
		"a.har":           "",
		"a/z.HAR":         "",
		"a/b/deep.Har":    "",
		"a/notes.txt":     "not a recording",
		"a/har":           "not a recording",
		"x.har/inner.har": "",
		"one.json":        "",
	})
	in := func(name string) string { return filepath.Join(folder, name) }
	tests := []struct {
		name  string
		paths []string
		want  []string
	}{
		{"no path", nil, nil},
		{"file of any extension", []string{in("one.json")}, []string{"one.json"}},
		{"files in the order given", []string{in("b.har"), in("a.har"), in("b.har")}, []string{"b.har", "a.har", "b.har"}},
		{"folder", []string{folder}, []string{"a.har", "a/b/deep.Har", "a/z.HAR", "b.har", "x.har/inner.har"}},
		{"standard input among others", []string{in("b.har"), "-", in("a")}, []string{"b.har", "-", "a/b/deep.Har", "a/z.HAR"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdin := strings.NewReader(archive(entry("GET", "", `"status":204`)))
			got, err := readPaths(t, folder, stdin, tt.paths...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestFiles lists what ReadPaths reads, also when more files come into the folder.
func TestFiles(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{"a.har": "", "b/c.har": "", "notes.txt": "x", ".fleetio-1.tmp": "x", ".recording-2": "x"})
	file := filepath.Join(folder, "notes.txt")
	files, err := Files(folder, "-", file)
	if want := []string{filepath.Join(folder, "a.har"), filepath.Join(folder, "b", "c.har"), "-", file}; err != nil || !reflect.DeepEqual(files, want) {
		t.Fatalf("got %q, error %v, want %q", files, err, want)
	}
	if err := os.WriteFile(filepath.Join(folder, "late.har"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := readPaths(t, folder, nil, files[:2]...)
	if want := []string{"a.har", "b/c.har"}; err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("got %q, error %v, want %q", read, err, want)
	}
	_, err = Files(folder, filepath.Join(folder, "gone"))
	var missing *Error
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v of a path that is not there", err)
	}
}

func TestReadPathsErrors(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{
		"good/a.har":      "",
		"bad/a.har":       "",
		"bad/b.har":       archive() + "x",
		"bad/c.har":       "",
		"empty/notes.txt": "",
	})
	in := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	tests := []struct {
		name  string
		stdin io.Reader
		paths []string
		read  []string // before the error
		file  string
		is    error
		want  string
	}{
		{"missing", nil, []string{in("good"), in("gone.har"), in("good")}, []string{"good/a.har"}, in("gone.har"), fs.ErrNotExist, ""},
		{"folder without a recording", nil, []string{in("empty")}, nil, in("empty"), nil, "the folder holds no recording: no .har, .ndjson or .jsonl file, no zip file of .har files, and no cassette"},
		{"bad recording", nil, []string{in("bad"), in("good")}, []string{"bad/a.har"}, in("bad/b.har"), nil, "data after the end of the archive"},
		{"bad standard input", strings.NewReader("x"), []string{"-", in("good")}, nil, "-", nil, "invalid character 'x' looking for beginning of value"},
		{"standard input twice", strings.NewReader(archive()), []string{in("good"), "-", "-"}, nil, "-", nil, "standard input can be read only once"},
		{"no standard input", nil, []string{in("good"), "-"}, nil, "-", nil, "there is no standard input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read, err := readPaths(t, folder, tt.stdin, tt.paths...)
			if !reflect.DeepEqual(read, tt.read) {
				t.Errorf("read %q before the error, want %q", read, tt.read)
			}
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("error %v (%T)", err, err)
			}
			if got.File != tt.file || !strings.HasPrefix(err.Error(), tt.file+": ") || strings.Count(err.Error(), folder) > 1 {
				t.Errorf("error %v of file %q, want %q, once", err, got.File, tt.file)
			}
			if tt.is != nil && !errors.Is(err, tt.is) || tt.want != "" && got.Err.Error() != tt.want {
				t.Errorf("error %v, want %v%s", got.Err, tt.is, tt.want)
			}
		})
	}
}

func TestReadPathsUnreadable(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{"locked/a.har": "", "a.har": ""})
	locked, file := filepath.Join(folder, "locked"), filepath.Join(folder, "a.har")
	for path, mode := range map[string]fs.FileMode{locked: 0, file: 0} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(locked, 0o700) })
	if f, err := os.Open(file); err == nil {
		_ = f.Close()
		t.Skip("this user may read everything")
	}
	for path, want := range map[string]string{folder: locked, file: file} {
		_, err := collect(Read(t.Context(), nil, path))
		var got *Error
		if !errors.As(err, &got) || got.File != want || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: error %v, want one of %s", path, err, want)
		}
	}
}

func TestReadPathsLinks(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{"real/a.har": "", "elsewhere/b.har": ""})
	for name, target := range map[string]string{
		"root":            "real",
		"real/file.har":   filepath.Join("..", "elsewhere", "b.har"),
		"real/folder":     filepath.Join("..", "elsewhere"),
		"real/folder.har": filepath.Join("..", "elsewhere"),
		"real/broken.har": "nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(folder, filepath.FromSlash(name))); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	got, err := readPaths(t, folder, nil, filepath.Join(folder, "root"))
	if want := []string{"root/a.har", "root/file.har"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
}

func TestReadPathsStopsWithItsConsumer(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{"a.har": "", "b.har": "not a recording"})
	for e, err := range Read(t.Context(), nil, folder, filepath.Join(folder, "gone.har")) {
		if err != nil || e == nil {
			t.Fatal(e, err)
		}
		break
	}
	if open := openFiles(t, folder); len(open) > 0 {
		t.Errorf("left open: %q", open)
	}
	if _, err := collect(Read(t.Context(), nil, folder)); err == nil {
		t.Error("no error for b.har")
	}
	if open := openFiles(t, folder); len(open) > 0 {
		t.Errorf("left open after an error: %q", open)
	}
}

// TestReadStopsWithItsContext between exchanges, and where stdin blocks.
func TestReadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	line := `{"method":"GET","url":"/"}` + "\n"
	for name, in := range map[string]string{"between": line + line, "blocked": line, "blocked in a line": line + line[:9]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, w := io.Pipe()
			defer r.Close()
			go func() { _, _ = io.WriteString(w, in) }()
			read := 0
			var last error
			for _, err := range Read(ctx, r, "-") {
				if last = err; err == nil {
					read++
					cancel()
				}
			}
			if read != 1 || !errors.Is(last, context.Canceled) {
				t.Errorf("%d exchanges, error %v", read, last)
			}
		})
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for e, err := range Read(ctx, nil, "testdata") {
			if e != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, error %v", e, err)
			}
		}
	})
}

// openFiles lists the files in folder that this process has open, where the system tells.
func openFiles(t *testing.T, folder string) (open []string) {
	t.Helper()
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(descriptors, e.Name())); err == nil && strings.HasPrefix(target, folder) {
			open = append(open, target)
		}
	}
	return open
}
