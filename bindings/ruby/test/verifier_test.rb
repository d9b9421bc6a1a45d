# frozen_string_literal: true

require_relative 'test_helper'

# Against the local torii.
class VerifierTest < Minitest::Test
  include EmulatorTest

  def setup
    super
    @verifier = Torii::Verifier.new(issuer)
  end

  def test_verify_fetches_the_keys_once
    auth = @verifier.verify(token(claims: { sub: USER, email_verified: true, locale: 'de' }))
    assert_equal [USER, Emulator.info['environment_id'], issuer, 'de'],
                 [auth.user_id, auth.environment_id, auth.issuer, auth.locale]
    assert_predicate auth, :email_verified?
    assert_predicate auth, :profile_complete?
    refute_predicate auth, :impersonating?
    assert_equal 300, auth.expires_at - auth.issued_at
    assert_equal USER, auth['sub']
    @verifier.verify(token)
    assert_equal 1, requests('/acme/').size
  end

  def test_authenticate
    assert_equal USER, @verifier.authenticate("bearer #{token(claims: { sub: USER })}").user_id
    [nil, '', 'Basic abc'].zip(%i[token_missing token_missing token_scheme]) do |header, status|
      assert_equal status, assert_raises(Torii::TokenError) { @verifier.authenticate(header) }.status
    end
  end

  def test_rotation
    @verifier.verify(token)
    emulator('post', '/issuers/acme/keys')
    assert_instance_of Torii::Auth, @verifier.verify(token)
  end

  def test_errors_by_class
    error = assert_raises(Torii::TokenError) { @verifier.verify(token(expires_in: -60)) }
    assert_equal [:token_expired, 401, nil], [error.status, error.answer_status, error.http_status]
    strict = Torii::Verifier.new(issuer, require: %i[email_verified not_impersonated])
    error = assert_raises(Torii::PolicyError) { strict.verify(token(claims: { email_verified: false })) }
    assert_equal [:policy, 403], [error.status, error.answer_status]
  end

  def test_keys_down
    fault('/acme/', kind: 'status', status: 503)
    error = assert_raises(Torii::KeysUnavailableError) { @verifier.verify(token) }
    assert_equal [:keys_unavailable, 503], [error.status, error.answer_status]
    assert_raises(Torii::KeysUnavailableError) { @verifier.refresh }
  end

  def test_refresh_and_stats
    assert_nil @verifier.refresh
    @verifier.verify(token)
    stats = @verifier.stats
    assert_equal [1, 1, 1], [stats['accepted'], stats['verdicts'], stats['issuers'][0]['fetches']]
  end

  def test_further_issuers
    other = emulator('post', '/issuers', { name: 'other' })
    both = Torii::Verifier.new(issuer, issuers: [other['issuer']])
    foreign = emulator('post', '/issuers/other/tokens')['token']
    assert_equal other['issuer'], both.verify(foreign).issuer
    assert_equal :token_issuer, assert_raises(Torii::TokenError) { @verifier.verify(foreign) }.status
  end

  def test_clock
    late = Torii::Verifier.new(issuer, clock: -> { Time.now + 3600 })
    assert_equal :token_expired, assert_raises(Torii::TokenError) { late.verify(token) }.status
    broken = Torii::Verifier.new(issuer, clock: -> { raise IOError, 'no clock' })
    2.times { assert_raises(IOError) { broken.verify(token) } }
  end

  def test_wrong_options_are_named
    { leeway: [301, /seconds/], key_lifetime: [0, /seconds/], max_stale: [-1, /seconds/],
      fetch_timeout: [0.01, /milliseconds/], verdict_cache_bytes: [-1, /negative/],
      ca_file: ['/no/such/file', /file/], jwks: ['{}', /jwks/], audiences: [[''], /audience/],
      issuers: [['nowhere'], /issuer/] }.each do |name, (value, message)|
      error = assert_raises(Torii::InvalidArgumentError, name) { Torii::Verifier.new(issuer, name => value) }
      assert_match message, error.message
    end
    assert_raises(ArgumentError) { Torii::Verifier.new(issuer, require: [:anything]) }
    assert_raises(TypeError) { Torii::Verifier.new(1) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, audiences: [nil]) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, issuers: [nil]) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, leeway: 'long') }
  end

  def test_use_after_close
    @verifier.close
    @verifier.close
    assert_predicate @verifier, :closed?
    [-> { @verifier.verify('x') }, -> { @verifier.authenticate('x') }, -> { @verifier.refresh },
     -> { @verifier.stats }].each do |use|
      assert_match(/Verifier is closed/, assert_raises(Torii::ClosedError, &use).message)
    end
  end

  def test_close_under_a_call
    fault('/acme/', times: 1, kind: 'delay', ms: 300)
    good = token
    call = Thread.new { @verifier.verify(good) }
    emulator('get', '/requests?path=/acme/&at_least=1')
    @verifier.close
    assert_instance_of Torii::Auth, call.value
    assert_raises(Torii::ClosedError) { @verifier.verify(good) }
  end
end
