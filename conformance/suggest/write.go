package suggest

import (
	"bytes"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
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
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(object("overlay", "1.0.0", "x-speakeasy-jsonpath", "rfc9535", "info", info, "actions", actions)); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}
