# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Apache Kafka as plain jars: Maven copies what kafka/pom.xml names, jars.sha256 says which files these must be.

kafka_what() { echo "Apache Kafka jars by Maven, against jars.sha256"; }
kafka_needs() { echo packages; }
kafka_inputs() { cat "$setup_dir"/kafka/{pom.xml,jars.sha256}; }
kafka_there() { compgen -G "$tools/kafka/kafka_*.jar" > /dev/null; }

kafka_make() {
  local new=$tools/.kafka.new
  rm -rf "$new" "$new.repository"
  mkdir -p "$new"
  mvn --batch-mode --no-transfer-progress --file "$setup_dir/kafka/pom.xml" -Dmaven.repo.local="$new.repository" \
    -DoutputDirectory="$new" -DincludeScope=runtime org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
  (cd "$new" && sha256sum --check --strict --quiet "$setup_dir/kafka/jars.sha256")
  # A jar without a checksum is one nobody has looked at.
  diff <(cd "$new" && printf '%s\n' * | sort) <(awk '{ print $2 }' "$setup_dir/kafka/jars.sha256" | sort)
  rm -rf "$tools/kafka" "$new.repository"
  mv "$new" "$tools/kafka"
}
