package torii_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// resident returns the memory of the process, including C's.
func resident(t *testing.T) int {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// flat fails if running f that many times, after a tenth of it to warm up, takes more memory.
func flat(t *testing.T, times int, f func(i int)) {
	t.Helper()
	for i := range times / 10 {
		f(i)
	}
	before := resident(t)
	for i := range times {
		f(i)
	}
	// Go itself takes a few MiB more when the machine is busy and calls into C need more threads.
	if growth := resident(t) - before; growth > 8<<20 {
		t.Errorf("%d bytes more", growth)
	}
}

func TestMemory(t *testing.T) {
	client, issuer := newClient(t)
	verifier := newVerifier(t, issuer.Issuer)
	good, bad := issuer.Mint(t, `{}`), issuer.Mint(t, `{"expires_in":-60}`)
	long := issuer.Mint(t, `{"claims":{"long":"`+strings.Repeat("a", 8000)+`"}}`)
	user, err := client.Users.Create(t.Context(), torii.UserCreate{FirstName: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("verify", func(t *testing.T) {
		flat(t, 100_000, func(i int) {
			if _, err := verifier.Verify(t.Context(), good); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				if _, err := verifier.Authenticate(t.Context(), "Basic"); err == nil {
					t.Fatal("accepts Basic")
				}
			}
			if i%1000 == 1 {
				if _, err := verifier.Verify(t.Context(), long); err != nil {
					t.Fatal(err)
				}
			}
			if i%1000 == 0 {
				if _, err := verifier.Verify(t.Context(), bad); err == nil {
					t.Fatal("accepts an expired token")
				}
			}
		})
	})
	t.Run("client", func(t *testing.T) {
		flat(t, 1000, func(i int) {
			if _, err := client.Users.Get(t.Context(), user.ID); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				if _, err := client.Users.Get(t.Context(), nobody); err == nil {
					t.Fatal("finds a user who does not exist")
				}
			}
		})
	})
	t.Run("webhooks", func(t *testing.T) {
		body := []byte("{}")
		header := signed("msg_1", time.Now(), body)
		verifier := newWebhookVerifier(t, webhookSecret)
		flat(t, 100_000, func(i int) {
			if _, err := verifier.Verify(header, body); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				if _, err := verifier.Verify(header, nil); err == nil {
					t.Fatal("accepts another body")
				}
			}
		})
	})
	t.Run("requirements", func(t *testing.T) {
		flat(t, 10_000, func(i int) {
			if i%100 == 0 {
				runtime.GC() // which frees them, and does not see how much C holds
			}
			requirements := newRequirements(t, torii.EmailVerified, torii.RequireClaim("/plan", "pro"))
			if _, err := verifier.Verify(t.Context(), good, requirements); err == nil {
				t.Fatal("accepts unmet requirements")
			}
			if _, err := torii.NewRequirements(torii.EmailVerified, torii.Flags(0)); err == nil {
				t.Fatal("accepts no flag")
			}
		})
	})
	t.Run("verifiers", func(t *testing.T) {
		flat(t, 1000, func(i int) {
			v, err := torii.NewVerifier(issuer.Issuer, torii.WithClock(time.Now))
			if err != nil {
				t.Fatal(err)
			}
			v.Close()
		})
	})
}
