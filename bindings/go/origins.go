package torii

// #include "shim.h"
import "C"

import "context"

// AllowedOrigins are the origins from which browsers may call torii.
type AllowedOrigins struct{ client *Client }

type origins struct {
	Origins []string `json:"origins"`
}

// Get returns all origins.
func (a *AllowedOrigins) Get(ctx context.Context) ([]string, error) {
	return a.fetch(ctx, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_allowed_origins_get_json(a.client.client, out, e)
	})
}

// Set replaces all origins.
func (a *AllowedOrigins) Set(ctx context.Context, list ...string) ([]string, error) {
	body, err := encode(origins{append([]string{}, list...)}, nil)
	if err != nil {
		return nil, err
	}
	b, bn := text(body)
	return a.fetch(ctx, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_allowed_origins_set_json(a.client.client, b, bn, out, e)
	})
}

func (a *AllowedOrigins) fetch(ctx context.Context, f call) ([]string, error) {
	answer, err := fetch[origins](ctx, a.client, f)
	if err != nil {
		return nil, err
	}
	return answer.Origins, nil
}
