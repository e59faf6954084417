package traffic

import (
	"fmt"
	"io"
)

// boundedReader delivers the bytes of r up to limit, which its owner raises as it goes on. It keeps a reader that
// buffers one value as a whole, as [json.Decoder] does, from buffering without end.
type boundedReader struct {
	r     io.Reader
	n     int64 // delivered so far
	limit int64
}

// errTooLarge is what a boundedReader answers at its limit.
var errTooLarge = fmt.Errorf("larger than the limit of %d MiB", maxValue>>20)

func (b *boundedReader) Read(p []byte) (int, error) {
	left := b.limit - b.n
	if left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	return n, err
}
