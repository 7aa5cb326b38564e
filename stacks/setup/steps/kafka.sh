# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Apache Kafka as plain jars: Maven copies what kafka/pom.xml names, jars.sha256 says which files these must be.

kafka_what() { echo "Apache Kafka jars by Maven, against jars.sha256"; }
kafka_needs() { echo packages; }
kafka_inputs() { cat "$setup_dir"/kafka/{pom.xml,jars.sha256}; }
kafka_there() { compgen -G "$tools/kafka/kafka_*.jar" > /dev/null && compgen -G "$tools/kafka-*.tar" > /dev/null; }

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
  kafka_pack
}

# One archive for the collectors. Its name says what is in it, and the last file in it that all of it has arrived.
kafka_pack() {
  local version digest name
  version=$(cd "$tools/kafka" && printf '%s\n' kafka-server-common-*.jar | sed 's/^kafka-server-common-//; s/\.jar$//')
  digest=$(sha256sum < "$setup_dir/kafka/jars.sha256" | cut -c 1-12)
  name=kafka-$version-$digest
  rm -rf "$tools"/kafka-*.tar "$tools/.kafka.tar"
  date --utc --date=@0 +%FT%TZ > "$tools/.kafka-complete"
  tar --create --file="$tools/.kafka.tar" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --directory="$tools" --transform="s,^kafka\(/\|$\),$name\1," --transform="s,^\.kafka-complete$,$name/COMPLETE," \
    kafka .kafka-complete
  rm "$tools/.kafka-complete"
  mv "$tools/.kafka.tar" "$tools/$name.tar"
}
