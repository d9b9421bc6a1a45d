# frozen_string_literal: true

require_relative 'test_helper'
require 'rack'
require 'puma'

# The middleware behind a real puma.
class MiddlewareTest < Minitest::Test
  include EmulatorTest

  APP = lambda do |env|
    [200, { 'content-type' => 'text/plain' }, [env['torii.auth']&.user_id || 'nobody']]
  end

  def test_lets_good_tokens_through
    serve(issuer: issuer) do |get|
      answer = get.call('Authorization' => "Bearer #{token(claims: { sub: USER })}")
      assert_equal ['200', USER], [answer.code, answer.body]
    end
  end

  def test_refuses_bad_tokens
    serve(issuer: issuer) do |get|
      answer = get.call({})
      assert_refused answer, '401', 'authentication_failed'
      assert_equal 'Bearer realm="torii"', answer['WWW-Authenticate']
      expired = token(expires_in: -60)
      answer = get.call('Authorization' => "Bearer #{expired}")
      assert_refused answer, '401', 'authentication_failed'
      assert_equal 'Bearer realm="torii", error="invalid_token"', answer['WWW-Authenticate']
      refute_includes answer.body, expired
      assert_refused get.call('Authorization' => 'Basic YTpi'), '401', 'authentication_failed'
    end
  end

  def test_refuses_by_policy
    serve(issuer: issuer, require: [:email_verified]) do |get|
      unverified = token(claims: { email_verified: false })
      assert_refused get.call('Authorization' => "Bearer #{unverified}"), '403', 'forbidden'
    end
  end

  def test_says_nothing_without_keys
    fault('/acme/', kind: 'status', status: 500)
    serve(issuer: issuer) do |get|
      answer = get.call('Authorization' => "Bearer #{token}")
      assert_refused answer, '503', 'keys_unavailable'
      assert_operator answer['Retry-After'].to_i, :>=, 1
      refute_match(/127\.0\.0\.1|500/, answer.body)
    end
  end

  def test_other_header
    serve(issuer: issuer, header: 'X-User-Token') do |get|
      assert_equal '200', get.call('X-User-Token' => "Bearer #{token}").code
      assert_equal '401', get.call('Authorization' => "Bearer #{token}").code
    end
  end

  def test_cookie_comes_second
    serve(issuer: issuer, cookie: 'torii_token') do |get|
      cookie = "a=b; torii_token=#{token(claims: { sub: USER })}"
      assert_equal USER, get.call('Cookie' => cookie).body
      assert_equal '401', get.call('Cookie' => cookie, 'Authorization' => 'Bearer bad').code
      assert_equal '401', get.call('Cookie' => 'other=1').code
    end
  end

  def test_optional
    serve(verifier: Torii::Verifier.new(issuer), optional: true) do |get|
      assert_equal 'nobody', get.call({}).body
      assert_equal '401', get.call('Authorization' => 'Bearer bad').code
    end
  end

  def test_errors_of_the_application_are_its_own
    app = Torii::Middleware.new(->(_) { raise Torii::PolicyError, 'mine' }, issuer: issuer, optional: true)
    assert_raises(Torii::PolicyError) { app.call({}) }
  end

  def test_needs_one_of_issuer_and_verifier
    assert_raises(ArgumentError) { Torii::Middleware.new(APP) }
    assert_raises(ArgumentError) { Torii::Middleware.new(APP, issuer: issuer, verifier: Torii::Verifier.new(issuer)) }
  end

  private

  def serve(**options)
    app = Rack::Builder.new do
      use Rack::Lint
      use Torii::Middleware, **options
      run APP
    end
    server = Puma::Server.new(app.to_app, Puma::Events.strings)
    port = server.add_tcp_listener('127.0.0.1', 0).addr[1]
    server.run
    yield ->(headers) { Net::HTTP.get_response(URI("http://127.0.0.1:#{port}/"), headers) }
  ensure
    server&.stop(true)
  end

  def assert_refused(answer, status, code)
    assert_equal status, answer.code
    assert_equal 'application/json', answer['Content-Type']
    error = JSON.parse(answer.body).fetch('error')
    assert_equal code, error['code']
    refute_empty error['message']
  end
end
