package credentials

import (
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Recording knows the credentials that the requests of one recording have, and those that they lack. A credential that none
// has was probably removed from the recording, as Chrome does when it exports one. The zero value is ready to use.
type Recording struct {
	has   map[string]bool     // places
	lacks map[Credential]bool // in a request
	done  map[*[]Credential]bool
}

// Add adds a request that needs all credentials of one of the alternatives.
func (r *Recording) Add(alternatives [][]Credential, ex *traffic.Exchange) {
	if len(alternatives) == 0 || r.done[&alternatives[0]] || ex.Request.HeaderOmitted {
		return
	}
	if r.has == nil {
		r.has, r.lacks, r.done = map[string]bool{}, map[Credential]bool{}, map[*[]Credential]bool{}
	}
	for _, a := range alternatives {
		isComplete := true
		for _, c := range a {
			if c.IsIn(ex) {
				r.has[c.Place()] = true
			} else {
				isComplete = false
				r.lacks[c] = true
			}
		}
		r.done[&alternatives[0]] = r.done[&alternatives[0]] || isComplete
	}
	if r.done[&alternatives[0]] { // so that the recording has credentials, and lacks none of the others
		for _, c := range slices.Concat(alternatives...) {
			r.has[c.Place()] = true
		}
	}
}

// Has reports whether a request has the credential at a place, see [Credential.Place], or another instead.
func (r *Recording) Has(place string) bool { return r.has[place] }

// Missing returns the sorted names of the credentials that some requests need and none has.
func (r *Recording) Missing() []string {
	var names []string
	for c := range r.lacks {
		if !r.has[c.Place()] {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
