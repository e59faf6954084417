package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/internal/assumed"
	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/pathmatch"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// MaxSpec is the maximum size of a spec, and of each file that it refers to, in bytes.
const MaxSpec = 16 << 20

// SpecError is a mistake in a spec.
type SpecError struct {
	File    string // relative to the folder of the spec; "" for the spec itself
	Line    int    // from 1
	Pointer string // JSON pointer; "" for the root, or if a file is no YAML
	Reason  string
}

// Error returns the file, unless it is the spec itself, the line, the pointer and the reason.
func (e *SpecError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	fmt.Fprintf(&b, "line %d: ", e.Line)
	if e.Pointer != "" {
		fmt.Fprintf(&b, "#%s: ", e.Pointer)
	}
	return b.String() + e.Reason
}

// SpecErrors returns the mistakes in an error of [Load] and [LoadFile].
func SpecErrors(err error) (list []*SpecError) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*SpecError](err); ok {
			list = append(list, e)
		}
	}
	return list
}

// Load compiles an OpenAPI 3.0 spec, YAML 1.2 or JSON, with the extensions x-assumed and x-criteria. References must stay
// inside the spec. If the spec has mistakes, the error joins a [*SpecError] for each, sorted by line. What is no mistake,
// but has no effect or is not checked, is in [Contract.Unchecked].
func Load(spec []byte, options ...LoadOption) (*Contract, error) {
	return compile(spec, "", nil, options)
}

// LoadOption is an option of [Load] and [LoadFile].
type LoadOption func(*Contract) error

// Servers says where the API is, in addition to the servers of the spec: at URLs such as "https://gateway.example.com/base",
// or at paths on the hosts of the spec, such as "/base". The paths of the spec are below the path of the URL, with or without
// the path of the spec's own server between them. Ports do not count. (default none)
//
// Exchanges of other hosts are not checked, see [ErrOtherHost]: a browser's recording has those of many sites. Loopback
// addresses, localhost and URLs without a host stand for any server. If the spec has no server, or one without a host, and no
// host is given here, any host is taken.
func Servers(urls ...string) LoadOption {
	return func(c *Contract) error {
		for _, text := range urls {
			u, err := url.Parse(text)
			switch {
			case err != nil, u.RawQuery != "", u.Fragment != "", u.Opaque != "",
				u.Host != "" && u.Scheme != "http" && u.Scheme != "https", u.Host == "" && (u.Scheme != "" || !strings.HasPrefix(text, "/")):
				return fmt.Errorf("not a server: %q; it is a URL such as https://HOST/BASE, or a path such as /BASE", text)
			}
			c.given = append(c.given, u)
		}
		return nil
	}
}

// LoadFile is Load for a file, whose relative references may lead to other files in its folder and below. Neither ".." nor a
// symbolic link leads out of the folder, and no URL is fetched. A file larger than [MaxSpec] is an error.
func LoadFile(path string, options ...LoadOption) (*Contract, error) {
	spec, open, err := yamltree.ReadFile(path, MaxSpec)
	if err != nil {
		return nil, err
	}
	return compile(spec, filepath.Base(path), open, options)
}

func compile(spec []byte, name string, open func(name string) ([]byte, error), options []LoadOption) (*Contract, error) {
	source, err := yamltree.Parse(spec, name, open)
	if err != nil {
		return nil, joinErrors([]*SpecError{parseError(err)})
	}
	c := &Contract{source: source, shapes: styles.Shapes{}, names: map[string]bool{"Content-Type": true}}
	c.redaction = sync.OnceValue(func() *credentials.Rules { return c.rules() })
	for _, option := range options {
		if err := option(c); err != nil {
			return nil, err
		}
	}
	found := speclint.Check(source)
	var errs []*SpecError
	for _, p := range found.Errors {
		if p.Err != nil {
			errs = append(errs, parseError(p.Err))
		} else {
			errs = append(errs, specError(source, p.Pointer, p.Reason))
		}
	}
	if len(errs) > 0 {
		return nil, joinErrors(errs)
	}
	ignored := map[string]bool{}
	for _, p := range found.Ignored {
		ignored[p.Pointer] = true
		c.addUnchecked(p.Pointer, p.Reason)
	}
	doc := openapi.Read(source)
	c.document = doc
	c.info = SpecInfo{doc.Title, doc.Version, source.SHA256()}
	c.compileSchemas(doc, ignored)
	c.schemes = credentials.Schemes(doc)
	for _, k := range c.schemes {
		c.names[http.CanonicalHeaderKey(k.Name)] = true
	}
	assumptions, problems := assumed.Read(source)
	c.assumptions = assumptions
	for _, p := range problems {
		errs = append(errs, specError(source, p.Pointer, p.Reason))
	}
	slices.SortStableFunc(doc.Paths, func(a, b *openapi.PathItem) int {
		return strings.Compare(pathmatch.Rank(a.Path), pathmatch.Rank(b.Path))
	})
	for _, item := range doc.Paths {
		for _, o := range item.Operations {
			if err := c.addOperation(doc, item, o); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if unread := c.unreadCriteria(found.Criteria); len(errs) == 0 {
		errs = unread
	}
	if len(errs) > 0 {
		return nil, joinErrors(errs)
	}
	slices.SortStableFunc(c.Unchecked, func(a, b Unchecked) int { return a.Spec.compare(b.Spec) })
	c.readClaims()
	c.checkers.New = func() any { return c.newChecker() }
	return c, nil
}

// unreadCriteria returns errors for the criteria of responses that no operation has.
func (c *Contract) unreadCriteria(pointers []string) (errs []*SpecError) {
	read := map[string]bool{}
	for _, op := range c.operations {
		for _, r := range op.responses {
			read[r.pointer+"/"+criteriaKey] = true
		}
	}
	for _, at := range pointers {
		if !read[at] {
			errs = append(errs, specError(c.source, at, "x-criteria belongs beside the content of a response of an operation"))
		}
	}
	return errs
}

func parseError(err error) *SpecError {
	if at, ok := errors.AsType[*yamltree.Error](err); ok {
		return &SpecError{File: at.File, Line: at.Line, Reason: at.Reason}
	}
	return &SpecError{Line: 1, Reason: err.Error()}
}

// joinErrors sorts and joins errors. Mistakes that follow from one are at one place.
func joinErrors(errs []*SpecError) error {
	slices.SortStableFunc(errs, func(a, b *SpecError) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Pointer, b.Pointer))
	})
	var list []error
	for _, err := range slices.CompactFunc(errs, func(a, b *SpecError) bool { return *a == *b }) {
		list = append(list, err)
	}
	return errors.Join(list...)
}

func specError(source *yamltree.Tree, pointer, reason string) *SpecError {
	return &SpecError{File: source.File(pointer), Line: source.Line(pointer), Pointer: pointer, Reason: reason}
}
