# frozen_string_literal: true

require_relative 'test_helper'

# Threads, forks, and puma in cluster mode.
class ProcessesTest < Minitest::Test
  include EmulatorTest

  def test_threads_share_a_verifier_and_a_client
    verifier = Torii::Verifier.new(issuer)
    client = client()
    valid = token(claims: { sub: USER })
    threads = Array.new(16) do
      Thread.new { Array.new(20) { [verifier.verify(valid).user_id, client.allowed_origins.get] } }
    end
    assert_equal [[USER, []]], threads.flat_map(&:value).uniq
    assert_equal 1, requests('/acme/').size
  end

  # The fetch ends early only if this thread runs meanwhile.
  def test_other_threads_run_while_one_waits
    verifier = Torii::Verifier.new(issuer, fetch_timeout: 60)
    valid = token
    fault('/acme/', kind: 'hang')
    waiting = Thread.new { verifier.verify(valid) }
    waiting.report_on_exception = false
    torii.control('GET', '/requests?path=/acme/&at_least=1&timeout_ms=120000')
    torii.control('DELETE', '/faults')
    refute_match(/no answer within|timeout|timed out/, assert_raises(Torii::Error) { waiting.value }.message)
  end

  # All wait for the same keys, outside of Ruby's lock, which another thread holds when the keys arrive.
  def test_threads_that_wait_get_their_own_results
    verifier = Torii::Verifier.new(issuer)
    tokens = Array.new(16) { |number| token(claims: { sub: "user-#{number}" }) }
    fault('/acme/', times: 1, kind: 'delay', ms: 500)
    threads = tokens.map { |each| Thread.new { verifier.verify(each).user_id } }
    torii.control('GET', '/requests?path=/acme/&at_least=1&timeout_ms=120000')
    busy = Thread.new { loop { nil } }
    assert_equal Array.new(16) { |number| "user-#{number}" }, threads.map(&:value)
    assert_equal 1, requests('/acme/').size
  ensure
    busy.kill
  end

  def test_an_interrupt_waits_for_the_answer
    client = client()
    fault('/api/', times: 1, kind: 'hold')
    calling = Thread.new { client.allowed_origins.get }
    calling.report_on_exception = false
    torii.control('GET', '/requests?path=/api/&at_least=1&timeout_ms=120000')
    calling.raise(Timeout::Error)
    assert_predicate calling, :alive?
    torii.control('POST', '/faults/release', { path: '/api/' })
    assert_raises(Timeout::Error) { calling.value }
    assert_empty client.allowed_origins.get
  end

  def test_fork
    verifier = Torii::Verifier.new(issuer)
    client = client()
    valid = token(claims: { sub: USER })
    verifier.verify(valid)
    client.allowed_origins.get
    child = lambda do
      torii.control('POST', '/issuers/acme/keys')
      renewed = token(claims: { sub: USER })
      [verifier.verify(valid).user_id, verifier.verify(renewed).user_id, client.allowed_origins.get]
    end
    assert_equal [USER, USER, []], in_child(&child)
    assert_equal USER, verifier.verify(valid).user_id
    assert_empty client.allowed_origins.get
  end

  def test_fork_while_another_thread_fetches
    verifier = Torii::Verifier.new(issuer)
    valid = token(claims: { sub: USER })
    fault('/acme/', times: 1, kind: 'delay', ms: 1000)
    fetching = Thread.new { verifier.verify(valid).user_id }
    torii.control('GET', '/requests?path=/acme/&at_least=1&timeout_ms=120000')
    in_child { verifier.verify(valid).user_id }.then { |user| assert_equal USER, user }
    assert_equal USER, fetching.value
  end

  def test_puma_cluster
    valid = token(claims: { sub: USER })
    puma do |url|
      answers = Array.new(40) do
        answer = Net::HTTP.get_response(URI(url), 'Authorization' => "Bearer #{valid}")
        assert_equal '200', answer.code, answer.body
        JSON.parse(answer.body)
      end
      assert_equal [[USER, []]], answers.map { |answer| answer.values_at('user', 'origins') }.uniq
      assert_equal 2, answers.map { |answer| answer['pid'] }.uniq.size
      assert_equal '401', Net::HTTP.get_response(URI(url)).code
    end
  end

  private

  # The value of a block that runs in a forked child.
  def in_child
    reader, writer = IO.pipe
    pid = fork do
      writer.write(JSON.generate([yield]))
      writer.close
      exit!(0)
    end
    writer.close
    JSON.parse(Timeout.timeout(120) { reader.read }).first
  ensure
    Process.wait(pid)
  end

  def puma
    server = IO.popen({ 'TORII_ISSUER' => issuer, 'TORII_API_URL' => torii.url,
                        'TORII_SECRET_KEY' => torii.secret_key },
                      ['ruby', '-Ilib', '-S', 'puma', '-C', 'test/cluster/puma.rb', 'test/cluster/config.ru'],
                      err: %i[child out])
    url = nil
    booted = 0
    Timeout.timeout(120) do
      until booted == 2
        line = server.gets or flunk 'puma ended'
        url ||= line[%r{http://127\.0\.0\.1:\d+}]
        booted += 1 if line.include?('booted')
      end
    end
    yield url
  ensure
    Process.kill('TERM', server.pid)
    server.close
  end
end
