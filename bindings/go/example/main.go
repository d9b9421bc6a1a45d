// A server whose page /me returns the user ID.
//
//	go run ./example -issuer https://acme.torii.so
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"time"

	torii "libtorii.internal/go"
)

func main() {
	issuer := flag.String("issuer", "https://acme.torii.so", "the issuer of the tokens")
	listen := flag.String("listen", "localhost:8080", "the address of the server")
	flag.Parse()

	verifier, err := torii.NewVerifier(*issuer)
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	me := func(w http.ResponseWriter, r *http.Request) {
		auth, _ := torii.AuthFromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"user_id": auth.UserID})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /me", torii.Middleware(verifier, torii.OnError(explain))(http.HandlerFunc(me)))

	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// explain logs the reason, which the client must not learn.
func explain(w http.ResponseWriter, r *http.Request, err error) {
	log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
	torii.WriteError(w, err)
}
