# frozen_string_literal: true

require_relative 'test_helper'
require 'fileutils'
require 'open3'
require 'rbconfig'
require 'tmpdir'

# The test kit.
class TestingTest < Minitest::Test
  include EmulatorTest

  def test_users_and_tokens
    user = torii.client.users.create(email: 'ada@example.com')
    session = torii.sign_in(user.id, user_agent: 'Lynx')
    verifier = torii.verifier
    assert_equal [user.id, torii.id], verifier.verify(session.token).then { |auth| [auth.user_id, auth.environment_id] }
    assert_equal [session.id], torii.client.sessions.list_for_user(user.id).map(&:id)
    auth = verifier.verify(torii.token(claims: { sub: USER, plan: 'pro' }, expires_in: 60))
    assert_equal [USER, 'pro', 60], [auth.user_id, auth['plan'], auth.expires_at - auth.issued_at]
    assert_raises(Torii::TokenError) { verifier.verify(torii.token(signer: 'forged')) }
  end

  def test_keys
    verifier = torii.verifier
    first = torii.token
    verifier.verify(first)
    torii.fail_keys
    assert_raises(Torii::KeysUnavailableError) { verifier.verify(first) }
    torii.clear_faults
    verifier.verify(first)
    kid = torii.rotate_keys
    second = torii.token
    verifier.verify(second)
    torii.remove_key(kid)
    Torii.clear_keys
    assert_equal :token_key_unknown, assert_raises(Torii::TokenError) { verifier.verify(second) }.status
    verifier.verify(first)
  end

  def test_further_environments
    other = torii.new_environment('other')
    assert_equal other.id, other.verifier.verify(other.token).environment_id
    assert_raises(Torii::TokenError) { torii.verifier.verify(other.token) }
    other.fail_keys(status: 500)
    torii.verifier.verify(torii.token)
    assert_raises(Torii::KeysUnavailableError) { other.verifier.verify(other.token) }
    torii.reset
    assert_match(/no issuer named/, assert_raises(RuntimeError) { other.token }.message)
  end

  def test_it_ends_with_the_process
    other = Torii::Testing::LocalTorii.new
    assert_path_exists "/proc/#{other.pid}"
    other.stop
    refute_path_exists "/proc/#{other.pid}"
    killed = IO.popen(child('puts Torii::Testing::LocalTorii.new.pid; $stdout.flush; sleep'))
    pid = killed.gets.to_i
    Process.kill(:KILL, killed.pid)
    killed.close
    Timeout.timeout(120) { sleep 0.01 while File.exist?("/proc/#{pid}") }
  end

  def test_where_the_program_is
    emulator = ENV.fetch('TORII_EMULATOR')
    Dir.mktmpdir do |folder|
      library = File.join(folder, 'libtorii.so.0')
      FileUtils.cp(ENV.fetch('TORII_LIBRARY'), library)
      says = lambda do |named = ''|
        environment = { 'TORII_EMULATOR' => named, 'TORII_LIBRARY' => library, 'PATH' => "#{folder}/bin" }
        Open3.capture2e(environment, *child(<<~RUBY)).first
          torii = Torii::Testing::LocalTorii.new
          print torii.token.count('.')
        RUBY
      end
      assert_includes says.call, "torii-emulator: found neither in #{File.realpath(folder)} nor in PATH. Install it"
      assert_includes says.call('/nowhere'), 'TORII_EMULATOR: /nowhere is not a program'
      assert_match(%r{/bin/false: pid \d+ exit 1}, says.call('/bin/false'))
      Dir.mkdir("#{folder}/bin")
      [folder, "#{folder}/bin"].each do |place|
        File.symlink(emulator, "#{place}/torii-emulator")
        assert_equal '2', says.call
        File.unlink("#{place}/torii-emulator")
      end
    end
  end

  # The README's test case, in a process of its own.
  def test_the_readme
    snippet = File.read("#{__dir__}/../README.md")[/^## Tests of your application\n.*?```ruby\n(.*?)```/m, 1]
    output, status = Open3.capture2e('ruby', '-w', '-Ilib', '-e', snippet)
    assert_predicate status, :success?, output
    assert_match(/^2 runs, [1-9]\d* assertions, 0 failures, 0 errors, 0 skips/, output)
  end

  private

  def child(program) = [RbConfig.ruby, '-w', '-Ilib', '-rtorii/testing', '-e', program]
end
