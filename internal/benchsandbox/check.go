package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// probed is how many faults probe creates.
const probed = 1

// probe asks a server whether it does what it is measured for.
func probe(ctx context.Context, address string, checks bool) error {
	if err := probeCreate(ctx, address, checks); err != nil || !checks {
		return err
	}
	for _, refused := range []struct {
		what   string
		body   string
		change func(http.Header)
	}{
		{"a wrong key", body, func(h http.Header) { h.Set("Authorization", "Token wrong") }},
		{"a wrong account token", body, func(h http.Header) { h.Set("Account-Token", "wrong") }},
		{"no code", strings.Replace(body, `"code":"P0420",`, "", 1), nil},
		{"a vehicle_id of 0", strings.Replace(body, "4711", "0", 1), nil},
		{"a vehicle that the account does not have", strings.Replace(body, "4711", "4712", 1), nil},
		{"a code without Fault Rule", strings.Replace(body, "P0420", "P0421", 1), nil},
		{"an unknown status", strings.Replace(body, `"open"`, `"odd"`, 1), nil},
		{"a long name", strings.Replace(body, "Catalyst eff", strings.Repeat("x", 256), 1), nil},
		{"half a body", body[:len(body)/2], nil},
	} {
		h := header()
		if refused.change != nil {
			refused.change(h)
		}
		status, _, answered, err := send(ctx, address, h, refused.body)
		if err != nil {
			return err
		}
		if status < 400 || status > 499 {
			return fmt.Errorf("%s is answered with a %d: %.500s", refused.what, status, answered)
		}
	}
	return nil
}

// probeCreate creates a fault and looks whether the answer is about it.
func probeCreate(ctx context.Context, address string, checks bool) error {
	status, location, answered, err := send(ctx, address, header(), body)
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		return fmt.Errorf("a create is answered with a %d: %.500s", status, answered)
	}
	var sent, got map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		return err
	}
	if err := json.Unmarshal(answered, &got); err != nil {
		return fmt.Errorf("the answer to a create: %w", err)
	}
	for name, value := range sent {
		if got[name] != value {
			return fmt.Errorf("the answer to a create has %v for %s, which is %v", got[name], name, value)
		}
	}
	if id, _ := got["id"].(float64); checks && !strings.HasSuffix(location, fmt.Sprintf("%s/%.0f", faultsPath, id)) {
		return fmt.Errorf("the Location of the fault %v is %q", got["id"], location)
	}
	return nil
}

func send(ctx context.Context, address string, h http.Header, body string) (status int, location string, answered []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+faultsPath, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", nil, err
	}
	r.Header = h
	r.Close = true // the server shall have no connection but those of the load
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // what was read was read
	answered, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, resp.Header.Get("Location"), answered, err
}

// verify compares what was answered with what is in the store's file, after the server has ended: no answer may be a lie.
func verify(ctx context.Context, s server, file string, all loaded) error {
	if all.Answered == 0 || all.Measured == 0 {
		return fmt.Errorf("only %d answers came, %d of them in the measured %v", all.Answered, all.Measured, all.Took)
	}
	if s.checks && all.Complete != all.Answered {
		return fmt.Errorf("%d of %d answers have no id or no Location", all.Answered-all.Complete, all.Answered)
	}
	if s.checks && all.Doubled > 0 {
		return fmt.Errorf("%d ids came more than once", all.Doubled)
	}
	if s.count == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	stored, err := s.count(ctx, file)
	if err != nil {
		return fmt.Errorf("the store: %w", err)
	}
	if want := all.Answered + probed; stored != want {
		return fmt.Errorf("the store has %d faults, but %d were answered", stored, want)
	}
	return nil
}
