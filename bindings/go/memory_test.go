package torii_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	torii "github.com/torii-so/libtorii/bindings/go"
)

// resident is how much memory the process has, C's included.
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

// flat runs something a tenth of the times to warm up, then so often without growth.
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
	good, bad := issuer.token(t, `{}`), issuer.token(t, `{"expires_in":-60}`)
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
					t.Fatal("Basic is let in")
				}
			}
			if i%1000 == 0 {
				if _, err := verifier.Verify(t.Context(), bad); err == nil {
					t.Fatal("an expired token is let in")
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
					t.Fatal("nobody is there")
				}
			}
		})
	})
	t.Run("webhooks", func(t *testing.T) {
		body := []byte("{}")
		header := signed("msg_1", time.Now(), body)
		flat(t, 100_000, func(i int) {
			if _, err := torii.VerifyWebhook([]string{webhookSecret}, header, body); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				if _, err := torii.VerifyWebhook([]string{webhookSecret}, header, nil); err == nil {
					t.Fatal("another body is let in")
				}
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
