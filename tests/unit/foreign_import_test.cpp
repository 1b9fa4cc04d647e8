#include <algorithm>
#include <cerrno>

#include "unit/foreign_testing.h"

namespace usvc::foreign {
namespace {

using Names = std::vector<std::string>;

TEST(ForeignRecognise, ByNameAndContent) {
  const auto format = [](const std::string& file, std::string_view text) {
    const auto found = recognise(file, text);
    return found ? *found : std::nullopt;
  };
  EXPECT_EQ(format("x/Procfile", "web: serve\n"), Format::procfile);
  EXPECT_EQ(format("Procfile.dev", "web: serve\n"), Format::procfile);
  EXPECT_EQ(format("-", "# mine\nweb: serve\nworker: work hard\n"), Format::procfile);
  EXPECT_EQ(format("my-procfile.txt", "web: serve\n"), Format::procfile);
  EXPECT_EQ(format("procfile-converted.ini", "[program:web]\ncommand=serve\n"), Format::supervisord);
  EXPECT_EQ(format("a.conf", "; x\n[program:web]\ncommand=serve\n"), Format::supervisord);
  EXPECT_EQ(format("ecosystem.config.json", "{}"), Format::pm2);
  EXPECT_EQ(format("-", "\n{\"apps\": []}"), Format::pm2);
  EXPECT_EQ(format("-", "// all of it\n{apps: []}"), Format::pm2);
  EXPECT_EQ(format("a.yml", "apps:\n  - script: a.js\n"), Format::pm2);
  EXPECT_EQ(format("process-compose.yaml", "processes:\n"), Format::compose);
  EXPECT_EQ(format("saved", "[group \"web\"]\n\tcmd = /bin/x\n"), std::nullopt);
  EXPECT_EQ(format("saved", ""), std::nullopt);
  EXPECT_EQ(format("saved", "[group \"x\"\nthis is not a file of ours\n"), std::nullopt);
  const auto unsure = recognise("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
  ASSERT_FALSE(unsure);
  EXPECT_NE(unsure.error().message().find("usvc load --from procfile /etc/passwd"), std::string::npos);
  const auto script = recognise("ecosystem.config.js", "module.exports = {}");
  ASSERT_FALSE(script);
  EXPECT_NE(script.error().message().find("node -p"), std::string::npos);
}

TEST(ForeignProcfile, HasTheVariablesOfTheEnvFileBesideIt) {
  const auto set =
      imported(Format::procfile,
               "# all of it\n"
               "web: bundle exec rails server -p $PORT\n"
               "\n"
               "worker:  QUEUE='a b' bundle exec sidekiq -c 5\n"
               "release: exec ./migrate \"two words\"\n",
               somewhere("Procfile", {{"/srv/app/.env", "# x\nexport PORT=3000\nNAME=\"a\\nb\" \nbad\n"}}));
  EXPECT_EQ(names_of(set), (Names{"web/web", "worker/worker", "release/release"}));
  EXPECT_EQ(run_by(set.jobs[0]), "/bin/sh|-c|bundle exec rails server -p $PORT");
  EXPECT_EQ(run_by(set.jobs[1]), "/bin/bundle|exec|sidekiq|-c|5");
  EXPECT_EQ(variable_of(set.jobs[1], "QUEUE"), "a b");
  EXPECT_EQ(run_by(set.jobs[2]), "/srv/app/migrate|two words");
  EXPECT_EQ(variable_of(set.jobs[0], "PORT"), "3000");
  EXPECT_EQ(variable_of(set.jobs[1], "PORT"), "3100") << "each has its own";
  EXPECT_EQ(variable_of(set.jobs[2], "NAME"), "a\nb");
  EXPECT_EQ(value_of(set.jobs[0], "cwd"), "/srv/app");
  EXPECT_TRUE(told(set, "Procfile: /srv/app/.env:4: ")) << remarks_of(set);
  EXPECT_EQ(set.remarks.size(), 1U) << remarks_of(set);
}

TEST(ForeignProcfile, EachHasAPortAsForemanGivesOne) {
  const auto ports = [](const std::string& env_file, const std::string& callers, const std::string& lines) {
    auto around = somewhere("Procfile", {{"/srv/app/.env", env_file}});
    if (!callers.empty()) around.env.push_back(callers);
    std::string all;
    for (const auto& job : imported(Format::procfile, lines, around).jobs) all += variable_of(job, "PORT") + " ";
    return all;
  };
  EXPECT_EQ(ports("", "", "web: serve\n# x\nadmin: serve\n"), "5000 5100 ");
  EXPECT_EQ(ports("", "PORT=80", "web: serve\nadmin: serve\n"), "80 180 ");
  EXPECT_EQ(ports("PORT=3000\n", "PORT=80", "web: serve\nadmin: PORT=9 serve\n"), "3000 9 ");
  EXPECT_EQ(ports("PORT=\n", "", "web: serve\n"), "5000 ") << "none is said";
}

TEST(ForeignProcfile, APortThatIsNoneFailsAllOfIt) {
  const auto error = [](const std::string& env_file, const std::string& callers) {
    auto around = somewhere("Procfile", {{"/srv/app/.env", env_file}});
    if (!callers.empty()) around.env.push_back(callers);
    return import_error(Format::procfile, "web: serve\n# x\nadmin: serve\n", around);
  };
  for (const auto* port : {"auto", "99999", "-1", "80 81"}) {
    EXPECT_EQ(error("A=1\nPORT=" + std::string(port) + "\n", ""),
              "Procfile: /srv/app/.env:2: PORT=" + std::string(port) + ": a port is a number from 0 to 65535");
  }
  EXPECT_TRUE(error("", "PORT=auto").starts_with("Procfile: in the environment: PORT=auto: "));
  EXPECT_EQ(error("PORT=65435\n", ""), "");
  const auto beyond = error("PORT=65500\n", "");
  EXPECT_TRUE(beyond.starts_with("Procfile:3: its PORT would be 65600, ")) << beyond;
  EXPECT_NE(beyond.find("/srv/app/.env:1"), std::string::npos) << beyond;
}

TEST(ForeignProcfile, PortsThatNobodyAskedForMayRunOut) {
  std::string lines;
  for (int i = 0; i < 700; ++i) lines += "p" + std::to_string(i) + ": serve\n";
  const auto set = imported(Format::procfile, lines, somewhere("Procfile"));
  ASSERT_EQ(set.jobs.size(), 700U);
  EXPECT_EQ(variable_of(set.jobs[605], "PORT"), "65500");
  EXPECT_EQ(variable_of(set.jobs[606], "PORT"), "");
  EXPECT_TRUE(told(set, "Procfile:607: from here on there is no PORT"));
  EXPECT_EQ(set.remarks.size(), 1U) << remarks_of(set);
}

TEST(ForeignProcfile, AWrongLineIsNamed) {
  EXPECT_TRUE(
      import_error(Format::procfile, "web: x\nthis is none\n", somewhere("Procfile")).starts_with("Procfile:2: "));
  EXPECT_TRUE(import_error(Format::procfile, "web:\n", somewhere("Procfile")).starts_with("Procfile:1: "));
}

constexpr std::string_view supervisord_conf = R"(; as the sample has it
[unix_http_server]
file=/tmp/supervisor.sock   ; the path to the socket file

[supervisord]
logfile=/tmp/supervisord.log
environment=STAGE_IS="%(ENV_STAGE)s"

[program:web]
command=/usr/bin/serve --name %(program_name)s --at %(host_node_name)s "two words" ; a comment
process_name=%(program_name)s-%(process_num)02d
numprocs=2
directory=/srv/web
autorestart=true
startsecs=2
startretries=5
stopsignal=QUIT
stopwaitsecs=20
user=www
environment=A="1,2",B=two,
  C='3;4',P="50%%"
stdout_logfile=/var/log/web.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=3
redirect_stderr=true
stopasgroup=true
killasgroup=true

[program:worker]
command: work
autostart=no
autorestart=unexpected
exitcodes=0,2
stderr_logfile=%(here)s/err.log
umask=022
user=me
colour=blue
startsec=3

[group:site]
programs=web, worker
priority=5

[eventlistener:mem]
command=memmon

[include]
files = conf.d/*.conf
)";

TEST(ForeignSupervisord, TakesProgramsAndGroups) {
  const auto set = imported(Format::supervisord, supervisord_conf, somewhere("s.conf"));
  EXPECT_EQ(names_of(set), (Names{"site/web-00", "site/web-01", "site/worker"}));
  const auto& web = set.jobs.at(1);
  EXPECT_EQ(run_by(web), "/usr/bin/serve|--name|web|--at|box|two words");
  EXPECT_EQ(value_of(web, "cwd"), "/srv/web");
  EXPECT_EQ(value_of(web, "restart"), "always");
  EXPECT_EQ(value_of(web, "settle"), "2");
  EXPECT_EQ(value_of(web, "stop-signal"), "QUIT");
  EXPECT_EQ(value_of(web, "stop-timeout"), "20");
  EXPECT_EQ(value_of(web, "log-max-size"), "5M");
  EXPECT_EQ(value_of(web, "log-keep"), "3");
  EXPECT_EQ(value_of(web, "split"), "");
  EXPECT_EQ(variable_of(web, "A"), "1,2");
  EXPECT_EQ(variable_of(web, "B"), "two");
  EXPECT_EQ(variable_of(web, "P"), "50%");
  EXPECT_EQ(variable_of(web, "STAGE_IS"), "test");
  EXPECT_TRUE(web.start);
  const auto& worker = set.jobs.at(2);
  EXPECT_FALSE(worker.start);
  EXPECT_EQ(run_by(worker), "/bin/work");
  EXPECT_EQ(value_of(worker, "restart"), "on-failure");
  EXPECT_EQ(value_of(worker, "split"), "true");
  EXPECT_EQ(value_of(worker, "tty"), "false");
  EXPECT_EQ(value_of(worker, "umask"), "022");
}

TEST(ForeignSupervisord, TellsOnceForEachKeyItCannotHonour) {
  const auto set = imported(Format::supervisord, supervisord_conf, somewhere("s.conf"));
  for (const auto* beginning :
       {"s.conf:16: web: startretries:", "s.conf:19: web: user:", "s.conf:22: web: stdout_logfile:",
        "s.conf:33: worker: exitcodes:", "s.conf:34: worker: stderr_logfile:", "s.conf:37: worker: colour:",
        "s.conf:38: worker: startsec: usvc knows no such key and passes over it (did you mean startsecs?)",
        "s.conf:42: group site: priority:", "s.conf:44: [eventlistener:mem]:", "s.conf:47: [include]:"}) {
    EXPECT_TRUE(told(set, beginning)) << beginning << "\n" << remarks_of(set);
  }
  EXPECT_EQ(set.remarks.size(), 10U) << remarks_of(set);
}

TEST(ForeignSupervisord, WhatIsNoProgramsIsNamedWhereItMatters) {
  const auto set = imported(Format::supervisord,
                            "[unix_http_server]\nfile=/x\n[supervisord]\nlogfile=/x\nminfds=4096\nstrip_ansi=false\n"
                            "user=www\n[rpcinterface:supervisor]\na=b\n[inet_http_server]\nport=*:9001\n[x:y]\n"
                            "[program:a]\ncommand=x\n",
                            somewhere("s.conf"));
  for (const auto* beginning : {"s.conf:5: [supervisord]: minfds:", "s.conf:7: [supervisord]: user:",
                                "s.conf:10: [inet_http_server]:", "s.conf:12: [x:y]:"}) {
    EXPECT_TRUE(told(set, beginning)) << beginning << "\n" << remarks_of(set);
  }
  EXPECT_EQ(set.remarks.size(), 4U) << remarks_of(set);
}

TEST(ForeignSupervisord, ErrorsAreKeptApartWhereTheFileAsksForIt) {
  const auto job = [](std::string_view keys, std::size_t remarks) {
    const auto set = imported(Format::supervisord, "[program:a]\ncommand=x\n" + std::string(keys), somewhere("s.conf"));
    EXPECT_EQ(set.remarks.size(), remarks) << keys << "\n" << remarks_of(set);
    return set.jobs.at(0);
  };
  for (const auto* apart : {"redirect_stderr=false\n", "stderr_logfile=AUTO\n"}) {
    EXPECT_EQ(value_of(job(apart, 0), "split"), "true") << apart;
    EXPECT_EQ(value_of(job(apart, 0), "tty"), "false") << apart;
  }
  EXPECT_EQ(value_of(job("stderr_logfile=/var/log/x\n", 1), "split"), "true");
  EXPECT_EQ(value_of(job("stderr_logfile=NONE\n", 1), "split"), "true");
  EXPECT_EQ(value_of(job("stderr_logfile=/var/log/x\nredirect_stderr=true\n", 0), "split"), "");
  EXPECT_EQ(value_of(job("", 0), "split"), "");
  (void)job("stopasgroup=true\n", 0);
  (void)job("stopasgroup=false\n", 1);
}

TEST(ForeignSupervisord, OfAKeyTheLastCountsAndSectionsGoOn) {
  const auto set =
      imported(Format::supervisord, "[program:a]\ncommand=x\n[program:b]\ncommand=y\n[program:a]\ncommand=z\n  more\n",
               somewhere("s.conf"));
  EXPECT_EQ(names_of(set), (Names{"a/a", "b/b"}));
  EXPECT_EQ(run_by(set.jobs.at(0)), "/bin/z|more");
}

TEST(ForeignSupervisord, WrongValuesAreNamedWithTheirLine) {
  const auto error = [](std::string_view text) { return import_error(Format::supervisord, text, somewhere("s.conf")); };
  EXPECT_TRUE(error("[program:a]\ncommand=x\nautostart=maybe\n").starts_with("s.conf:3: a: autostart: "));
  EXPECT_TRUE(error("[program:a]\ncommand=%(ENV_NONE)s\n").starts_with("s.conf:2: a: command: "));
  EXPECT_TRUE(error("[program:a]\ncommand=x 100%\n").starts_with("s.conf:2: a: command: "));
  EXPECT_TRUE(error("[program:a]\ncommand=x 'y\n").starts_with("s.conf:2: a: command: "));
  EXPECT_TRUE(error("[program:a]\ncommand=x\nstopsignal=NONE\n").starts_with("s.conf:3: a: stopsignal: "));
  EXPECT_TRUE(error("[program:a]\n\n").starts_with("s.conf:1: a: "));
  EXPECT_TRUE(error("[program:a]\nnonsense\n").starts_with("s.conf:2: "));
  EXPECT_TRUE(error("command=x\n").starts_with("s.conf:1: "));
}

TEST(ForeignSupervisord, LongLinesAreWhole) {
  const std::string text(5000, 'x');
  const auto set = imported(Format::supervisord, "[program:a]\ncommand=serve " + text + "\n", somewhere("s.conf"));
  EXPECT_EQ(run_by(set.jobs.at(0)), "/bin/serve|" + text);
}

constexpr std::string_view ecosystem = R"({
  "apps": [
    {
      // the api
      "name": "api",
      "script": "./dist/server.js",
      "cwd": "/srv/api",
      "args": ["--port", "80 80"],
      "node_args": "--harmony --max-old-space-size=512",
      "instances": "max",
      "exec_mode": "cluster",
      "watch": false,
      "max_memory_restart": "300M",
      "cron_restart": "0 3 * * *",
      "kill_timeout": 3000,
      "env": {"NODE_ENV": "development", "PORT": 8080, "DEBUG": true},
      "env_production": {"NODE_ENV": "production"},
      "namespace": "backend",
      "merge_logs": true,
      "error_file": "./err.log",
      "max_restart": 3,
    },
    {"script": "worker.py", "autorestart": false, "interpreter_args": "-u"},
    {"name": "start", "script": "npm", "args": "run start", "stop_exit_codes": [0], "wait_ready": true},
    {"name": "tool", "script": "missing-tool"}
  ],
  "deploy": {"production": {}}
}
)";

TEST(ForeignPm2, TakesApps) {
  const auto set = imported(Format::pm2, ecosystem, somewhere("e.json"));
  EXPECT_EQ(names_of(set), (Names{"backend/api-1", "backend/api-2", "backend/api-3", "backend/api-4", "worker/worker",
                                  "start/start"}));
  const auto& api = set.jobs.at(1);
  EXPECT_EQ(run_by(api), "/bin/node|--harmony|--max-old-space-size=512|/srv/api/dist/server.js|--port|80 80");
  EXPECT_EQ(variable_of(api, "PORT"), "8080");
  EXPECT_EQ(variable_of(api, "DEBUG"), "true");
  EXPECT_EQ(variable_of(api, "NODE_ENV"), "development");
  EXPECT_EQ(variable_of(api, "NODE_APP_INSTANCE"), "1");
  EXPECT_EQ(value_of(api, "stop-timeout"), "3000ms");
  EXPECT_EQ(value_of(api, "stop-signal"), "INT");
  EXPECT_EQ(value_of(api, "cwd"), "/srv/api");
  EXPECT_EQ(run_by(set.jobs.at(4)), "/bin/python3|-u|/srv/app/worker.py");
  EXPECT_EQ(value_of(set.jobs.at(4), "restart"), "never");
  EXPECT_EQ(run_by(set.jobs.at(5)), "/bin/npm|run|start");
  EXPECT_EQ(value_of(set.jobs.at(5), "restart"), "on-failure");
}

TEST(ForeignPm2, TellsOnceForEachKeyItCannotHonour) {
  const auto set = imported(Format::pm2, ecosystem, somewhere("e.json"));
  for (const auto* beginning :
       {"e.json:11: api: exec_mode:", "e.json:13: api: max_memory_restart:", "e.json:14: api: cron_restart:",
        "e.json:17: api: env_production:", "e.json:19: api: merge_logs:", "e.json:20: api: error_file:",
        "e.json:21: api: max_restart: usvc knows no such key and passes over it (did you mean max_restarts?)",
        "e.json:24: start: wait_ready:", "e.json:25: tool: left out:", "e.json:27: deploy:"}) {
    EXPECT_TRUE(told(set, beginning)) << beginning << "\n" << remarks_of(set);
  }
  EXPECT_EQ(set.remarks.size(), 10U) << remarks_of(set);
}

TEST(ForeignPm2, WhatItAddsToAProgramIsHonouredOrNamed) {
  const auto set = imported(Format::pm2,
                            "[{\"script\": \"a.js\",\n\"time\": true,\n\"ignore_watch\": [\"x\"],\n"
                            "\"source_map_support\": true,\n\"treekill\": false,\n\"autostart\": false},\n"
                            "{\"script\": \"b.js\", \"time\": false, \"ignore_watch\": [], \"treekill\": true,"
                            "\"source_map_support\": false, \"merge_logs\": false}]",
                            somewhere("e.json"));
  for (const auto* beginning : {"e.json:2: a: time: usvc log -t", "e.json:3: a: ignore_watch:",
                                "e.json:4: a: source_map_support:", "e.json:5: a: treekill:"}) {
    EXPECT_TRUE(told(set, beginning)) << beginning << "\n" << remarks_of(set);
  }
  EXPECT_EQ(set.remarks.size(), 4U) << remarks_of(set);
  EXPECT_FALSE(set.jobs.at(0).start);
  EXPECT_TRUE(set.jobs.at(1).start);
}

// As in pm2's own examples: JavaScript's way to write an object, which pm2 takes for JSON.
TEST(ForeignPm2, NamesNeedNoQuotes) {
  const auto set = imported(Format::pm2,
                            "{\n  apps : [{\n    name : 'HTTP-API',\n    script: 'http.js',\n    port: 80,\n"
                            "    env : { NODE_ENV : 'normal' },\n  }, {script: \"w.ts\", deep_monitoring: true}]\n}\n",
                            somewhere("process.json"));
  EXPECT_EQ(names_of(set), (Names{"HTTP-API/HTTP-API", "w/w"}));
  EXPECT_EQ(variable_of(set.jobs.at(0), "NODE_ENV"), "normal");
  EXPECT_EQ(variable_of(set.jobs.at(0), "PORT"), "80");
  EXPECT_EQ(run_by(set.jobs.at(1)), "/bin/bun|/srv/app/w.ts");
  EXPECT_TRUE(told(set, "process.json:7: w: deep_monitoring:")) << remarks_of(set);
  EXPECT_EQ(set.remarks.size(), 1U) << remarks_of(set);
  const auto error = import_error(Format::pm2, "{apps: [{script: 'a' + '.js'}]}", somewhere("e.json"));
  EXPECT_TRUE(error.starts_with("e.json:1: this is no JSON")) << error;
  EXPECT_NE(error.find("man usvc-load"), std::string::npos) << error;
}

TEST(ForeignPm2, CommentsMayBeAnywhereBesideNamesWithoutQuotes) {
  for (const auto* text : {"{ apps: [{ name: \"a\", // the name\n script: \"sleep\", args: \"5\" }] }",
                           "{ // it's \"c\n apps: [{ name: 'a', script: 'sleep', args: '5' }] }",
                           "{ apps: [ /* x\n y */ { name: 'a', script: 'sleep', args: '5' }, ] } // end",
                           "// c\n{ apps: [{ name: 'a', /* x */ script: 'sleep', args: /* x */ '5' }] }\n",
                           "[ // c\n /* x */ { name: 'a', script: 'sleep', args: '5' } ]"}) {
    const auto set = imported(Format::pm2, text, somewhere("e.json"));
    ASSERT_EQ(names_of(set), (Names{"a/a"})) << text;
    EXPECT_EQ(run_by(set.jobs[0]), "/srv/app/sleep|5") << text;
    EXPECT_EQ(remarks_of(set), "") << text;
  }
  const auto set =
      imported(Format::pm2, "{ apps: [{ name: 'a', script: '/a', args: [\"// x\", '/* y */', http://z] }] }",
               somewhere("e.json"));
  EXPECT_EQ(run_by(set.jobs.at(0)), "/a|// x|/* y */|http://z") << "these are none";
}

TEST(ForeignPm2, WhatIsWrongIsNamedWithItsLine) {
  const auto error = [](std::string_view text) { return import_error(Format::pm2, text, somewhere("e.json")); };
  EXPECT_TRUE(error("{\n\"apps\": [\n{]\n").starts_with("e.json:3: this is no JSON"));
  EXPECT_TRUE(error("{\n").starts_with("e.json:"));
  EXPECT_TRUE(error("{\"a\": 1}").starts_with("e.json:1: "));
  EXPECT_TRUE(error("[{\"script\": \"a.js\",\n\"instances\": \"many\"}]").starts_with("e.json:2: a: instances: "));
  EXPECT_TRUE(
      error("[{\"script\": \"a.js\",\n\"kill_timeout\": \"soon\"}]").starts_with("e.json:2: a: kill_timeout: "));
  EXPECT_TRUE(error("{\"script\": \"a.js\"} {}").starts_with("e.json:1: "));
}

TEST(ForeignPm2, YamlIsTakenToo) {
  const auto set = imported(Format::pm2, "apps:\n  - script: ./a.js\n    env:\n      A: 1\n", somewhere("e.yml"));
  EXPECT_EQ(run_by(set.jobs.at(0)), "/bin/node|/srv/app/a.js");
  EXPECT_EQ(variable_of(set.jobs.at(0), "A"), "1");
}

constexpr std::string_view compose = R"(version: "0.5"
environment:
  - "GLOBAL=1"
log_location: /tmp/all.log
processes:
  manager: &base
    description: the first
    command: "/usr/bin/manager -some -arg"
    availability:
      restart: "always"
      backoff_seconds: 2
      max_restarts: 5
    depends_on:
      client:
        condition: process_started
    readiness_probe:
      http_get:
        host: 127.0.0.1
    shutdown:
      signal: 2
      timeout_seconds: 15
    namespace: core
  client:
    command: |
      echo $STAGE $$HOME ${UNKNOWN}
      sleep 1
    working_dir: sub
    is_tty: true
    disabled: true
    replicas: 2
    environment:
      - LOCAL=${STAGE}
    env_file: extra.env
  copy:
    <<: *base
    entrypoint: [/bin/echo, "a b"]
    comand: x
    disable_ansi_colors: true
)";

TEST(ForeignCompose, TakesProcesses) {
  const auto set = imported(Format::compose, compose,
                            somewhere("p.yaml", {{"/srv/app/.env", "DOT=env\n"}, {"/srv/app/extra.env", "E=2\n"}}));
  EXPECT_EQ(names_of(set), (Names{"core/manager", "client/client-0", "client/client-1", "core/copy"}));
  const auto& manager = set.jobs.at(0);
  EXPECT_EQ(run_by(manager), "/usr/bin/manager|-some|-arg");
  EXPECT_EQ(value_of(manager, "restart"), "always");
  EXPECT_EQ(value_of(manager, "stop-signal"), "2");
  EXPECT_EQ(value_of(manager, "stop-timeout"), "15");
  EXPECT_EQ(value_of(manager, "tty"), "false");
  EXPECT_EQ(variable_of(manager, "GLOBAL"), "1");
  EXPECT_EQ(variable_of(manager, "DOT"), "env");
  const auto& client = set.jobs.at(2);
  EXPECT_EQ(run_by(client), "/bin/bash|-c|echo test $HOME ${UNKNOWN}\nsleep 1");
  EXPECT_EQ(value_of(client, "cwd"), "/srv/app/sub");
  EXPECT_EQ(value_of(client, "tty"), "true");
  EXPECT_EQ(value_of(client, "restart"), "never");
  EXPECT_EQ(variable_of(client, "LOCAL"), "test");
  EXPECT_EQ(variable_of(client, "E"), "2");
  EXPECT_EQ(variable_of(client, "PC_REPLICA_NUM"), "1");
  EXPECT_FALSE(client.start);
  EXPECT_EQ(value_of(set.jobs.at(3), "stop-timeout"), "15");
}

TEST(ForeignCompose, TellsForEachKeyItCannotHonour) {
  const auto set = imported(Format::compose, compose, somewhere("p.yaml", {{"/srv/app/extra.env", ""}}));
  for (const auto* beginning :
       {"p.yaml:4: log_location:", "p.yaml:11: manager: availability.backoff_seconds:",
        "p.yaml:12: manager: availability.max_restarts:", "p.yaml:13: manager: depends_on:",
        "p.yaml:16: manager: readiness_probe:", "p.yaml:37: copy: comand:", "p.yaml:38: copy: disable_ansi_colors:"}) {
    EXPECT_TRUE(told(set, beginning)) << beginning << "\n" << remarks_of(set);
  }
}

TEST(ForeignCompose, TemplatesAreToldWithTheKeyTheyAreIn) {
  const auto set = imported(Format::compose,
                            "processes:\n  a:\n    entrypoint: [\"x\",\n      \"{{.A}}\"]\n"
                            "    environment:\n      - B={{.B}}\n",
                            somewhere("p.yaml"));
  EXPECT_TRUE(told(set, "p.yaml:4: a: entrypoint: templates")) << remarks_of(set);
  EXPECT_TRUE(told(set, "p.yaml:6: a: environment: templates")) << remarks_of(set);
}

TEST(ForeignCompose, OfACommandAndAnEntrypointTheCommandIsRun) {
  const std::string both = "processes:\n  a:\n    entrypoint: [x]\n    command: ";
  const auto set = imported(Format::compose, both + "y 1\n", somewhere("p.yaml"));
  EXPECT_EQ(run_by(set.jobs.at(0)), "/bin/y|1");
  EXPECT_TRUE(told(set, "p.yaml:3: a: entrypoint: ")) << remarks_of(set);
  const auto none = imported(Format::compose, both + "\"\"\n", somewhere("p.yaml"));
  EXPECT_EQ(run_by(none.jobs.at(0)), "/bin/x");
  EXPECT_EQ(remarks_of(none), "");
}

TEST(ForeignCompose, WhatIsWrongIsNamedWithItsLine) {
  const auto error = [](std::string_view text) { return import_error(Format::compose, text, somewhere("p.yaml")); };
  EXPECT_TRUE(error("processes:\n  a: [\n").starts_with("p.yaml:"));
  EXPECT_TRUE(error("services:\n  a: {}\n").starts_with("p.yaml:1: there are no processes in it: "));
  EXPECT_TRUE(error("processes:\n  a:\n    command: x\n    availability: {restart: often}\n")
                  .starts_with("p.yaml:4: a: availability.restart: "));
  EXPECT_TRUE(error("processes:\n  a: {}\n").starts_with("p.yaml:2: a: it does not say what to run"));
  EXPECT_TRUE(error("processes: {a: {command: x}}\n---\nprocesses: {}\n").starts_with("p.yaml:3: a second document"));
  EXPECT_TRUE(error("processes: &a\n  b: *a\n").starts_with("p.yaml:1: this is nested too deep"));
}

TEST(ForeignNames, AreMadeFitAndTold) {
  const auto set =
      imported(Format::compose, "processes:\n  all: {command: a}\n  \"a b\": {command: a}\n  a-b: {command: a}\n",
               somewhere("p.yaml"));
  EXPECT_EQ(names_of(set), (Names{"all-job/all-job", "a-b/a-b", "a-b/a-b-2"}));
  EXPECT_TRUE(told(set, "p.yaml:2: all: ")) << remarks_of(set);
  EXPECT_TRUE(told(set, "p.yaml:4: a-b: ")) << remarks_of(set);
}

TEST(ForeignEnvFile, AQuoteEndsAtTheNextOne) {
  const auto with = [](const std::string& env) { return somewhere("Procfile", {{"/srv/app/.env", env}}); };
  const auto set = imported(Format::procfile, "web: serve\n",
                            with("A=\"x\" # note\nB='it # is'\t# \"so\"\nC=\"say \\\"hi\\\"\"\nD=x # y\nE= # none\n"));
  EXPECT_EQ(variable_of(set.jobs.at(0), "A"), "x");
  EXPECT_EQ(variable_of(set.jobs.at(0), "B"), "it # is");
  EXPECT_EQ(variable_of(set.jobs.at(0), "C"), "say \"hi\"");
  EXPECT_EQ(variable_of(set.jobs.at(0), "D"), "x");
  EXPECT_EQ(variable_of(set.jobs.at(0), "E"), "");
  for (const auto* wrong : {"A=1\nB=\"x\" y\n", "A=1\nB='x\n"}) {
    EXPECT_TRUE(import_error(Format::procfile, "web: serve\n", with(wrong)).starts_with("Procfile: /srv/app/.env:2: "));
  }
}

TEST(ForeignEnvFile, OneThatCannotBeReadIsNotPassedOverInSilence) {
  auto around = somewhere("f");
  const auto reading_fails = [](int why) {
    return [why](const std::string& path) -> Result<std::string> { return fail(Error::from_errno(why, path)); };
  };
  const std::string processes = "processes: {a: {command: x}}";
  for (const int why : {EACCES, EFBIG}) {
    around.read = reading_fails(why);
    EXPECT_TRUE(import_error(Format::procfile, "web: serve\n", around).starts_with("f: /srv/app/.env: "));
    EXPECT_TRUE(import_error(Format::compose, processes, around).starts_with("f: /srv/app/.env: "));
  }
  around.read = reading_fails(EISDIR);
  EXPECT_TRUE(told(imported(Format::procfile, "web: serve\n", around), "f: /srv/app/.env: "));
  around.read = reading_fails(ENOENT);
  EXPECT_EQ(remarks_of(imported(Format::procfile, "web: serve\n", around)), "");
}

TEST(ForeignVariables, WhatIsNoneIsRefused) {
  const auto pm2 = [](const std::string& env) {
    return import_error(Format::pm2, "[{\"script\": \"a.js\",\n\"env\": {" + env + "}}]", somewhere("e.json"));
  };
  for (const auto* env : {R"("A": "x\u0000y")", R"("A\u0000B": "x")", R"("A=B": "x")"}) {
    EXPECT_TRUE(pm2(env).starts_with("e.json:2: a: env: ")) << env << pm2(env);
  }
  const auto compose_env = [](const std::string& env) {
    return import_error(Format::compose, "processes:\n  a:\n    command: x\n    environment: " + env, somewhere("p"));
  };
  for (const auto* env : {R"(["A=x\0y"])", "[=x]", "[x]", "{A=B: x}"}) {
    EXPECT_TRUE(compose_env(env).starts_with("p:4: a: environment: ")) << env << compose_env(env);
  }
}

TEST(ForeignVariables, OfOneTheLastCounts) {
  const auto set =
      imported(Format::compose, "processes: {a: {command: x, environment: [A=1, B=2, A=3]}}", somewhere("p"));
  EXPECT_EQ(variable_of(set.jobs.at(0), "A"), "3");
  EXPECT_EQ(std::count(set.jobs.at(0).env.begin(), set.jobs.at(0).env.end(), "A=1"), 0);
}

TEST(ForeignSetText, SaysAllOfIt) {
  const auto set =
      imported(Format::compose,
               "processes:\n  a: {command: x 'y z', disabled: true, namespace: g}\n  b: {command: x, namespace: g}\n",
               somewhere("p.yaml"));
  const std::string text = set_text(set.jobs);
  EXPECT_NE(text.find("[group \"g\"]\n\tjob = a\n\tstart = false\n\tcmd = /bin/x\n\targ = \"y z\"\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("[group \"g#2\"]\n\tjob = b\n\tcmd"), std::string::npos) << text;
  EXPECT_NE(text.find("\tenv = PC_PROC_NAME=a\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace usvc::foreign
