package traffic

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// How compressed files start (RFC 1952, section 2.3.1; APPNOTE.TXT of PKWARE, section 4.3.7).
const (
	gzipStart = "\x1f\x8b"
	zipStart  = "PK\x03\x04"
)

// position counts the bytes that are read.
type position struct {
	io.Reader

	offset int64
}

func (p *position) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.offset += int64(n)
	return n, err
}

// readGzip reads a recording that gzip compressed. Offsets in errors count what comes out of it.
func (r *recording) readGzip(file io.Reader) error {
	packed := &position{Reader: file}
	z, err := gzip.NewReader(bufio.NewReader(packed)) // which would else make a reader that reads ahead on its own
	if err != nil {
		return r.fail(0, fmt.Errorf("gzip: %w", err))
	}
	inner := *r
	inner.packed, inner.nested, inner.skipped, inner.lines = packed, true, 0, 0
	return inner.read(z, formatUnknown)
}

// readZip reads the HAR files of a zip file, such as Playwright writes: the bodies are in files of their own beside it.
func (r *recording) readZip(head io.Reader) error {
	var file io.ReaderAt = r.file
	var size int64
	if r.file == nil {
		text, err := readBounded(head)
		if err != nil {
			return r.fail(0, fmt.Errorf("zip: %w", err))
		}
		file, size = bytes.NewReader(text), int64(len(text))
	} else if info, err := r.file.Stat(); err == nil {
		size = info.Size()
	}
	z, err := zip.NewReader(file, size)
	if err != nil {
		return r.fail(0, fmt.Errorf("zip: %w", err))
	}
	found := false
	for _, f := range z.File {
		if isHAR(f.Name) {
			found = true
			if err := r.readZipped(z, f); err != nil {
				return err
			}
		}
	}
	if !found {
		return r.fail(0, errors.New("a zip file without a .har file"))
	}
	return nil
}

func isHAR(name string) bool { return strings.EqualFold(path.Ext(name), ".har") }

func (r *recording) readZipped(z *zip.Reader, f *zip.File) error {
	inner := &recording{ctx: r.ctx, pool: r.pool, yield: r.yield, name: r.name + "/" + f.Name, attachments: noFiles{}, nested: true}
	if folder, err := fs.Sub(z, path.Dir(f.Name)); err == nil {
		inner.attachments = folder
	}
	text, err := f.Open()
	if err != nil {
		return inner.fail(0, fmt.Errorf("zip: %w", err))
	}
	defer func() { _ = text.Close() }() // nothing was written that an error could be about
	return inner.read(text, formatUnknown)
}

// noFiles are the attachments of a recording that has no folder.
type noFiles struct{}

// Open implements [fs.FS].
func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// attachment returns the body that a HAR file has in a file of that name beside it, and false if there is none: then it was
// not recorded. A name that leads elsewhere is not followed.
func (r *recording) attachment(name string) (body []byte, ok bool, err error) {
	if strings.ContainsAny(name, `/\`) || !fs.ValidPath(name) {
		return nil, false, nil
	}
	info, err := fs.Lstat(r.attachments, name)
	if err != nil || !info.Mode().IsRegular() { // it might be a pipe, or a link out of the folder
		return nil, false, nil
	}
	f, err := r.attachments.Open(name)
	if err != nil {
		return nil, false, nil
	}
	defer func() { _ = f.Close() }()
	body, err = readBounded(f)
	return body, err == nil, err
}
