package suggest

import (
	"bytes"
	"errors"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// write returns the overlay. Its filters are those of RFC 9535, which one reader of overlays asks to be told.
func (d *draft) write(spec conformance.SpecInfo) ([]byte, error) {
	info := object("title", "What traffic showed of "+spec.Title, "version", spec.Version)
	if len(d.unsaid) > 0 {
		unsaid := list()
		for _, text := range d.unsaid {
			unsaid.Content = append(unsaid.Content, value(text))
		}
		merge(info, object("x-not-suggested", unsaid))
	}
	actions := list()
	for _, a := range d.actions {
		n := object("target", a.target, "description", a.description)
		if a.update != nil {
			merge(n, object("update", a.update))
		} else {
			merge(n, object("remove", true))
		}
		actions.Content = append(actions.Content, n)
	}
	overlay := object("overlay", "1.0.0", "x-speakeasy-jsonpath", "rfc9535", "info", info, "actions", actions)
	text, err := encode(overlay, true)
	if err == nil && !bytes.Equal(text, printable.Lines(text)) { // a name from traffic would hide from the overlay's reader
		text, err = encode(overlay, false)
	}
	return text, err
}

// encode writes YAML. Without unicode, all characters but those of ASCII are escaped.
func encode(n *yaml.Node, unicode bool) ([]byte, error) {
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithV3Defaults(), yaml.WithIndent(2), yaml.WithUnicode(unicode))
	if err != nil {
		return nil, err
	}
	err = errors.Join(dumper.Dump(n), dumper.Close())
	return out.Bytes(), err
}
