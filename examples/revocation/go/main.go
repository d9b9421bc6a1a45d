// Bans that reach every process of a fleet, through Redis.
//
//	revocation ban USER           bans a user, and revokes the tokens issued until now
//	revocation unban USER         takes back a ban by mistake: earlier tokens are valid again
//	revocation serve PORT         a server that follows the list in Redis
//	revocation serve PORT FILE    a server that follows a file
//	revocation write FILE         keeps that file like the list in Redis: one such process a machine
//
// The environment has REDIS_URL, TORII_ISSUER, TORII_SECRET_KEY and, for a local torii, TORII_API_URL.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	torii "libtorii.internal/go"
)

const (
	// A sorted set, from user ids to the times up to which tokens are revoked; and the channel that
	// tells of changes.
	key = "torii:revoked"
	// At least the lifetime of the longest token, template tokens included: an older entry revokes
	// nothing.
	longest = 24 * time.Hour
	// How often the list is read without a message: Redis does not repeat a message that a client
	// missed.
	reload = 10 * time.Second
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string) error {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		return err
	}
	server := redis.NewClient(options)
	defer server.Close()
	switch {
	case len(args) == 2 && args[0] == "ban":
		return ban(ctx, server, args[1])
	case len(args) == 2 && args[0] == "unban":
		return unban(ctx, server, args[1])
	case len(args) == 2 && args[0] == "write":
		return write(ctx, server, args[1])
	case len(args) == 2 && args[0] == "serve":
		return serveFromRedis(ctx, server, args[1])
	case len(args) == 3 && args[0] == "serve":
		return serve(args[1], torii.WithRevocationsFile(args[2]))
	}
	return errors.New("usage: revocation ban USER | unban USER | serve PORT [FILE] | write FILE")
}

func api() (*torii.Client, error) {
	var options []torii.ClientOption
	if url := os.Getenv("TORII_API_URL"); url != "" {
		options = append(options, torii.WithAPIURL(url))
	}
	return torii.NewClient(os.Getenv("TORII_SECRET_KEY"), options...)
}

func ban(ctx context.Context, server *redis.Client, user string) error {
	client, err := api()
	if err != nil {
		return err
	}
	defer client.Close()
	// In this order: once the user is banned, the issuer issues no further tokens.
	if _, err := client.Users.Ban(ctx, user); err != nil {
		return err
	}
	now := time.Now()
	_, err = server.TxPipelined(ctx, func(changes redis.Pipeliner) error {
		changes.ZAddGT(ctx, key, redis.Z{Member: user, Score: float64(now.Unix())})
		changes.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(now.Add(-longest).Unix(), 10))
		changes.Publish(ctx, key, "changed")
		return nil
	})
	return err
}

func unban(ctx context.Context, server *redis.Client, user string) error {
	client, err := api()
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.Users.Unban(ctx, user); err != nil {
		return err
	}
	_, err = server.TxPipelined(ctx, func(changes redis.Pipeliner) error {
		changes.ZRem(ctx, key, user)
		changes.Publish(ctx, key, "changed")
		return nil
	})
	return err
}

// read returns the list in the form that the library takes.
func read(ctx context.Context, server *redis.Client) ([]byte, error) {
	entries, err := server.ZRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	type entry struct {
		Sub    any   `json:"sub"`
		Before int64 `json:"before"`
	}
	revoked := make([]entry, 0, len(entries))
	for _, e := range entries {
		revoked = append(revoked, entry{e.Member, int64(e.Score)})
	}
	return json.Marshal(map[string]any{"revoked": revoked})
}

// follow applies the list after each change, forever. After a failure the last list stays in use.
func follow(ctx context.Context, server *redis.Client, apply func([]byte) error) {
	messages := server.Subscribe(ctx, key)
	defer messages.Close()
	for {
		// The confirmation of a subscription, a change, or nothing for a while.
		_, err := messages.ReceiveTimeout(ctx, reload)
		var silence net.Error
		if err == nil || errors.As(err, &silence) && silence.Timeout() {
			var list []byte
			if list, err = read(ctx, server); err == nil {
				err = apply(list)
			}
		}
		if err != nil {
			log.Printf("revocations: %v", err)
			time.Sleep(time.Second)
		}
	}
}

func write(ctx context.Context, server *redis.Client, path string) error {
	var written []byte
	apply := func(list []byte) error {
		if bytes.Equal(list, written) {
			return nil
		}
		written = nil
		if err := replace(path, list); err != nil {
			return err
		}
		written = list
		return nil
	}
	list, err := read(ctx, server)
	if err == nil {
		err = apply(list)
	}
	if err != nil {
		return err
	}
	follow(ctx, server, apply)
	return nil
}

// replace replaces the file as a whole: its readers see the old list or the new one.
func replace(path string, list []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "revoked-*")
	if err != nil {
		return err
	}
	_, err = file.Write(list)
	// Others read it; only this user may write it.
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

func serveFromRedis(ctx context.Context, server *redis.Client, port string) error {
	verifier, err := torii.NewVerifier(os.Getenv("TORII_ISSUER"))
	if err != nil {
		return err
	}
	// Before the first request: without the list, revoked tokens would be valid.
	list, err := read(ctx, server)
	if err == nil {
		err = verifier.SetRevocationsJSON(list)
	}
	if err != nil {
		return err
	}
	go follow(ctx, server, verifier.SetRevocationsJSON)
	return listen(port, verifier)
}

func serve(port string, options ...torii.VerifierOption) error {
	verifier, err := torii.NewVerifier(os.Getenv("TORII_ISSUER"), options...)
	if err != nil {
		return err
	}
	return listen(port, verifier)
}

func listen(port string, verifier *torii.Verifier) error {
	me := func(w http.ResponseWriter, r *http.Request) {
		auth, _ := torii.AuthFromContext(r.Context())
		fmt.Fprintln(w, auth.UserID)
	}
	http.Handle("GET /", torii.Middleware(verifier)(http.HandlerFunc(me)))
	server := &http.Server{Addr: "127.0.0.1:" + port, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
