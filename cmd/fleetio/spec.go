package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// embeddedSpec is the name of the embedded spec, in the repository of the module.
const (
	embeddedSpec = "api/openapi.yaml"
	repository   = "https://github.com/fleetcontract/fleetio-go"
)

// spec is the spec to check by.
type spec struct {
	name      string
	published string // the name for the readers of a report, who may have neither this program nor its folder
	contract  *conformance.Contract
}

// embeddedURL returns the URL of the embedded spec in a version of the module, or its name if the version is no release or
// commit, such as that of an edited clone.
func embeddedURL(version string) string {
	if revision := pseudoVersion.FindStringSubmatch(version); revision != nil {
		version = revision[1]
	} else if !release.MatchString(version) {
		return embeddedSpec
	}
	return repository + "/blob/" + version + "/" + embeddedSpec
}

var (
	release       = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[\w.-]+)?$`)
	pseudoVersion = regexp.MustCompile(`^v.*\d{14}-([0-9a-f]{12})$`) // https://go.dev/ref/mod#pseudo-versions
)

// specFlag adds --spec, see loadSpec.
func specFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "spec", "",
		"check by the OpenAPI 3.0 document in `FILE` (default the embedded "+embeddedSpec+")")
}

// serverFlag adds --server, see [conformance.Servers].
func serverFlag(cmd *cobra.Command, urls *[]string) {
	cmd.Flags().StringArrayVar(urls, "server", nil,
		"take `URL` for a server of the spec: https://HOST/BASE, or /BASE on the hosts of the spec; repeatable")
}

// loadSpec reads the spec at path, or the embedded one. The error has a line for each mistake in the spec.
func (c *console) loadSpec(path string, options ...conformance.LoadOption) (*spec, error) {
	if path == "" {
		contract, err := conformance.Load(api.Spec, options...)
		return &spec{embeddedSpec, embeddedURL(version()), contract}, err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		raiseMemoryLimit(path)
	}
	defer c.during("reading " + printable.Text(path))()
	contract, err := conformance.LoadFile(path, options...)
	return &spec{path, path, contract}, specErrors(path, err)
}

// specErrors returns an error with a line for each mistake in the spec at a path, or the error if it is about none.
func specErrors(path string, err error) error {
	mistakes := conformance.SpecErrors(err)
	if len(mistakes) == 0 {
		return err
	}
	var list []error
	for _, m := range mistakes {
		at := conformance.Location{File: m.File, Line: m.Line, Pointer: m.Pointer}
		line := fmt.Sprintf("%s:%d: %s", at.In(path), at.Line, m.Reason)
		if at.Pointer != "" {
			line += " (#" + at.Pointer + ")"
		}
		list = append(list, errors.New(line))
	}
	return errors.Join(list...)
}

// memoryPerByte is how much memory a byte of a large spec takes, with that for its loading.
const memoryPerByte = 60

// raiseMemoryLimit raises the soft limit of memory for a large spec: a heap that is beyond its limit for good only keeps
// the garbage collector busy.
func raiseMemoryLimit(path string) {
	if info, err := os.Stat(path); err == nil {
		debug.SetMemoryLimit(max(debug.SetMemoryLimit(-1), memoryPerByte*info.Size()))
	}
}
